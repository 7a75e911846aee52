/** Batches at the provider: create once, find, watch, cancel. */
import { isHalfDone, type BatchSnapshot } from '../contract/snapshots.js';
import { JOB_KEY } from '../contract/job-key.js';
import { BATCHES } from '../provider/job-kinds.js';
import { providerApi } from './calls/provider-api.js';
import { cancelDuplicates, createOnce, findInterrupted } from './calls/create-once.js';
import type { CreateBatchInput, WatchBatchInput } from '../contract/activities/batch.js';
import type { CreatedOnce, InterruptedCreate, JobSearch, Sighting } from '../contract/activities/jobs.js';
import { changeJob, parseJob, retrieve, keyedJobs } from './calls/jobs.js';
import type { ActivityContext } from './runtime/context.js';
import { watchJob } from './calls/watch.js';

export function batchActivities(toolbox: ActivityContext) {
  return {
    /** Creates the batch, or adopts the one that an earlier attempt created. */
    async createBatch(input: CreateBatchInput): Promise<CreatedOnce<BatchSnapshot>> {
      const api = providerApi(toolbox, input.provider);
      const { inputFileId, endpoint } = input;
      return createOnce<BatchSnapshot>({
        ...keyedJobs(BATCHES, api, input),
        operation: 'batches.create',
        mayExist: input.mayExist,
        onAmbiguousCreate: input.onAmbiguousCreate,
        lookFor: { inputFileId, endpoint, createdSince: input.notBefore },
        create: async () =>
          parseJob(
            BATCHES,
            'create',
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
      const api = providerApi(toolbox, input.provider);
      return { cancelled: await cancelDuplicates(keyedJobs(BATCHES, api, input), input.id) };
    },

    /** The oldest batch that carries the key, or null: after a create whose outcome is not known. */
    async findBatch(input: InterruptedCreate): Promise<BatchSnapshot | null> {
      return findInterrupted('batches.create', keyedJobs(BATCHES, providerApi(toolbox, input.provider), input), input);
    },

    /** Returns when the batch has changed; until then fails as benign, to be retried at the time of the next look. */
    async watchBatch(input: WatchBatchInput): Promise<Sighting<BatchSnapshot>> {
      const api = providerApi(toolbox, input.provider);
      return watchJob<BatchSnapshot>(api, toolbox.poll, input, {
        statuses: BATCHES.statuses,
        operation: 'batches.retrieve',
        read: () => retrieve(BATCHES, api, input.id),
        hasNews: ({ requestCounts }) => !input.isHalfDone && isHalfDone(requestCounts),
        describe: async ({ requestCounts: counts }) => ({
          text: counts.total > 0 ? `${counts.completed + counts.failed} of ${counts.total} done` : 'no counts yet',
          data: { counts },
        }),
      });
    },

    /** Asks the provider to cancel, and tells how the batch stands then. One that has ended is left as it is. */
    async cancelBatch(input: { provider: string; id: string }): Promise<BatchSnapshot | null> {
      return changeJob(BATCHES, providerApi(toolbox, input.provider), 'cancel', input.id);
    },
  };
}
