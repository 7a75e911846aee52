/** Batches at the provider: create once, find, watch, cancel. */
import { log } from '@temporalio/activity';
import { batchObjectSchema, isHalfDone, type BatchSnapshot } from '../jobs/batch-object.js';
import { JOB_KEY } from '../jobs/job-key.js';
import { PAGE_SIZES } from '../jobs/limits.js';
import { isBatchEnd } from '../jobs/status.js';
import { apiOf, readReply, type Api, type Outcome } from './api.js';
import {
  cancelTwins,
  createOnce,
  findInterrupted,
  type CreatedOnce,
  type InterruptedCreate,
  type JobSearch,
  type Twins,
} from './create-once.js';
import { listAll } from './list-all.js';
import type { Toolbox } from './toolbox.js';
import { watchJob, type Sighting, type WatchInput } from './watch.js';

export interface CreateBatchInput extends JobSearch {
  readonly inputFileId: string;
  readonly endpoint: string;
  readonly completionWindow: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Seconds; null for the provider's own. */
  readonly outputExpiresAfterSeconds: number | null;
  readonly mayExist: boolean;
  readonly onAmbiguousCreate: 'fail' | 'createAgain';
}

export interface WatchBatchInput extends WatchInput {
  /** Whether the workflow knows that half of the requests are done: the one step between statuses that the history pays for. */
  readonly isHalfDone: boolean;
}

export function batchActivities(toolbox: Toolbox) {
  return {
    /** Creates the batch, or adopts the one that an earlier attempt created. */
    async createBatch(input: CreateBatchInput): Promise<CreatedOnce<BatchSnapshot>> {
      const api = apiOf(toolbox, input.provider);
      const { inputFileId, endpoint } = input;
      return createOnce<BatchSnapshot>({
        ...batchTwins(api, input),
        operation: 'batches.create',
        mayExist: input.mayExist,
        onAmbiguousCreate: input.onAmbiguousCreate,
        lookFor: { inputFileId, endpoint, createdSince: input.notBefore },
        create: async () =>
          readOutcome(
            'batches.create',
            await api.attempt((client) =>
              client.batches.create({
                input_file_id: inputFileId,
                // Providers have endpoints and windows of their own.
                endpoint: endpoint as '/v1/chat/completions',
                completion_window: input.completionWindow as '24h',
                ...(api.provider.metadata && { metadata: { ...input.metadata, [JOB_KEY]: input.key } }),
                ...(input.outputExpiresAfterSeconds !== null && {
                  output_expires_after: { anchor: 'created_at', seconds: input.outputExpiresAfterSeconds },
                }),
              }),
            ),
          ),
      });
    },

    /** Cancels batches that carry the key and are not the one that the run follows; answers with their ids. */
    async cancelBatchTwins(input: JobSearch & { readonly id: string }): Promise<{ cancelled: string[] }> {
      const api = apiOf(toolbox, input.provider);
      return { cancelled: await cancelTwins(batchTwins(api, input), input.id) };
    },

    /** The oldest batch that carries the key, or null: after a create whose outcome is not known. */
    async findBatch(input: InterruptedCreate): Promise<BatchSnapshot | null> {
      return findInterrupted('batches.create', batchTwins(apiOf(toolbox, input.provider), input), input);
    },

    /** Returns when the batch has changed; until then fails as benign, to be retried at the time of the next look. */
    async watchBatch(input: WatchBatchInput): Promise<Sighting<BatchSnapshot>> {
      const api = apiOf(toolbox, input.provider);
      return watchJob<BatchSnapshot>(api, toolbox.poll, input, {
        kind: 'batch',
        operation: 'batches.retrieve',
        read: () => retrieve(api, input.id),
        isEnd: isBatchEnd,
        hasNews: ({ requestCounts }) => !input.isHalfDone && isHalfDone(requestCounts),
        describe: async ({ requestCounts: counts }) => ({
          text: counts.total > 0 ? `${counts.completed + counts.failed} of ${counts.total} done` : 'no counts yet',
          data: { counts },
        }),
      });
    },

    /** Asks the provider to cancel, and tells how the batch stands then. One that has ended is left as it is. */
    async cancelBatch(input: { provider: string; id: string }): Promise<BatchSnapshot | null> {
      return cancelBatch(apiOf(toolbox, input.provider), input.id);
    },
  };
}

function batchTwins(api: Api, search: JobSearch): Twins<BatchSnapshot> {
  return { api, find: () => findBatches(api, search), isEnd: isBatchEnd, cancel: (id) => cancelBatch(api, id) };
}

/** A reply with status 200 that is no batch throws: it may have been carried out, so a retry looks before it creates. */
function readOutcome(
  operation: 'batches.create' | 'batches.retrieve',
  outcome: Outcome<unknown>,
): Outcome<BatchSnapshot> {
  return outcome.error ? outcome : { value: readReply(operation, batchObjectSchema, outcome.value) };
}

async function retrieve(api: Api, id: string): Promise<Outcome<BatchSnapshot>> {
  return readOutcome('batches.retrieve', await api.attempt((client) => client.batches.retrieve(id)));
}

/** 409 means that it has ended already, a lasting 404 that it is gone (the watch deals with that): neither is a failure to cancel. */
async function cancelBatch(api: Api, id: string): Promise<BatchSnapshot | null> {
  const { value, error } = await api.attempt((client) => client.batches.cancel(id));
  if (!error) return readReply('batches.cancel', batchObjectSchema, value);
  const failure = api.failure('batches.cancel', error);
  if (error.status === 404 && failure.nonRetryable) return null;
  if (error.status !== 409 && error.status !== 400) throw failure;
  const current = await retrieve(api, id);
  if (current.error?.status === 404) return null;
  if (current.error) throw api.failure('batches.retrieve', current.error);
  if (!isBatchEnd(current.value.status)) {
    log.warn('The provider refused to cancel; the wait goes on', {
      batchId: id,
      status: current.value.status,
      code: error.code,
    });
  }
  return current.value;
}

/** Batches with the key, newest first: the list has no filter, so it is scanned back to the time of the first try. */
async function findBatches(api: Api, search: JobSearch): Promise<BatchSnapshot[]> {
  const found: BatchSnapshot[] = [];
  for await (const object of listAll(api, 'batches.list', '/batches', { limit: PAGE_SIZES.batches })) {
    const reading = batchObjectSchema.safeParse(object);
    if (!reading.success) continue;
    const { createdAt } = reading.data.timestamps;
    if (createdAt !== null && createdAt < search.notBefore) break;
    if (reading.data.metadata[JOB_KEY] === search.key) found.push(reading.data);
  }
  return found;
}
