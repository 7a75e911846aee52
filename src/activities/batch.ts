/** Batches: check the input, create once, find, watch, cancel, collect. */
import type { AnnouncedJob } from '../contract/account-watch.js';
import type {
  BatchActivities,
  CheckBatchInputInput,
  CheckedInput,
  CollectBatchInput,
  CollectedBatchFiles,
  CreateBatchInput,
  WatchBatchInput,
} from '../contract/activities/batch.js';
import type {
  CancelInput,
  CancelReply,
  CreatedOnce,
  Duplicates,
  InterruptedCreate,
  JobSearch,
  Sighting,
} from '../contract/activities/jobs.js';
import { invalidInput } from '../contract/failures.js';
import { JOB_KEY } from '../contract/job-key.js';
import { isHalfDone, type BatchSnapshot } from '../contract/snapshots.js';
import { jsonLines } from '../jsonl/json-lines.js';
import { BATCHES } from '../provider/job-kinds.js';
import { parseReply, type Reply } from '../provider/reply.js';
import { checkBatchInput, type BatchInputReport } from '../requests/check-input.js';
import type { Storage } from '../storage/storage.js';
import { announce } from './calls/announce.js';
import { cancelDuplicates, createOnce, findInterrupted } from './calls/create-once.js';
import { waitUntilFileIsProcessed } from './calls/file-processing.js';
import { cancelJob } from './calls/jobs.js';
import { keyedJobs, keyForMetadata } from './calls/keyed-jobs.js';
import { assertSupported } from './calls/assert-supported.js';
import { openFile } from './calls/open-file.js';
import { providerApi, type ProviderApi } from './calls/provider-api.js';
import { tellBudget } from './calls/tell-budget.js';
import { watchJob } from './calls/watch.js';
import { assertMayHoldResults, manifestUri } from './calls/results-location.js';
import { collectBatch } from './collect/batch-results.js';
import { cancelInputOf, checkInputOf } from './operators/inputs.js';
import type { ActivityContext } from './runtime/context.js';
import { untilCancelled, withHeartbeat } from './runtime/heartbeat.js';
import { recordRun } from './runtime/record-run.js';

export class BatchActivityGroup implements BatchActivities {
  readonly #context: ActivityContext;

  constructor(context: ActivityContext) {
    this.#context = context;
  }

  async checkBatchInput(given: CheckBatchInputInput): Promise<CheckedInput> {
    const input = checkInputOf(given);
    const { storage } = this.#context;
    const api = this.#api(input);
    assertSupported(api.provider, 'batches', ...('fileId' in input.input ? [] : (['uploads'] as const)));
    assertMayHoldResults(storage, input.outputUri);
    return withHeartbeat(async () => {
      if ('fileId' in input.input) {
        const { fileId } = input.input;
        await waitUntilFileIsProcessed(api, fileId);
        const { content } = await openFile(api, fileId);
        // A provider need not give an input file back. Then only the provider checks the lines.
        if (!content) return { requests: null, model: null, fileId };
        const { requests, model, estimatedTokens } = await checkLines(api, input, content);
        return { requests, model, estimatedTokens, fileId };
      }
      const uri = 'uri' in input.input ? input.input.uri : await writeInline(storage, input, input.input.requests);
      const content = storage.read(uri, { reuse: true });
      const { bytes, sha256, hasByteOrderMark, ...report } = await checkLines(api, input, content);
      const { requests, model, estimatedTokens } = report;
      return { requests, model, estimatedTokens, file: { uri, bytes, sha256, hasByteOrderMark } };
    });
  }

  async createBatch(input: CreateBatchInput): Promise<CreatedOnce<BatchSnapshot>> {
    const api = this.#api(input);
    const { inputFileId, endpoint } = input;
    const key = await keyForMetadata(api, input.owner);
    const created = await createOnce<BatchSnapshot>({
      ...keyedJobs(BATCHES, api, input),
      operation: 'batches.create',
      startedAt: input.startedAt,
      mayExist: input.mayExist,
      onAmbiguousCreate: input.onAmbiguousCreate,
      lookFor: { inputFileId, endpoint, createdSince: input.startedAt },
      create: () => requestBatch(api, input, key),
    });
    // The answer of the create must not wait for it.
    if (input.counted !== null) void tellBudget(api, input.counted);
    const { id, status, timestamps } = created.job;
    const { createdAt, expiresAt } = timestamps;
    const { workflowId } = input.owner;
    const job: AnnouncedJob = { kind: 'batches', id, status, workflowId, createdAt, expiresAt };
    return { ...created, watchedBy: await announce(this.#context, api, input.watch, job) };
  }

  async findBatch(input: InterruptedCreate): Promise<BatchSnapshot | null> {
    return findInterrupted('batches.create', keyedJobs(BATCHES, this.#api(input), input), input);
  }

  async cancelDuplicateBatches(input: JobSearch & { readonly id: string }): Promise<Duplicates> {
    return cancelDuplicates(keyedJobs(BATCHES, this.#api(input), input), input.id);
  }

  async watchBatch(input: WatchBatchInput): Promise<Sighting<BatchSnapshot>> {
    return watchJob<BatchSnapshot>(this.#context, this.#api(input), input, {
      kind: BATCHES,
      hasChanged: ({ requestCounts }) => !input.isHalfDone && isHalfDone(requestCounts),
      describe: async ({ requestCounts: counts }) => ({
        text: counts.total > 0 ? `${counts.completed + counts.failed} of ${counts.total} done` : 'no counts yet',
        data: { counts },
      }),
    });
  }

  async cancelBatch(given: CancelInput): Promise<CancelReply<BatchSnapshot>> {
    const input = cancelInputOf(given);
    return cancelJob(BATCHES, this.#api(input), input);
  }

  async collectBatchResults(input: CollectBatchInput): Promise<CollectedBatchFiles> {
    const { storage } = this.#context;
    return withHeartbeat(async () => {
      const collected = await collectBatch(this.#api(input), storage, input);
      if (!input.isPart) await recordRun(storage, manifestUri(storage, input.outputUri, input.batch.id));
      return collected;
    });
  }

  #api({ provider }: { readonly provider: string }): ProviderApi {
    return providerApi(this.#context, provider);
  }
}

async function writeInline(
  storage: Storage,
  { outputUri, filename }: CheckBatchInputInput,
  requests: readonly unknown[],
): Promise<string> {
  const uri = storage.resolve(outputUri ?? storage.defaultRoot, 'inputs', filename);
  await storage.write(uri, jsonLines(requests));
  return uri;
}

/** @throws ApplicationFailure `InvalidInput` with the first faults */
async function checkLines(
  { provider }: ProviderApi,
  { endpoint, check }: CheckBatchInputInput,
  content: AsyncIterable<Uint8Array>,
): Promise<BatchInputReport> {
  const report = await checkBatchInput(untilCancelled(content), { endpoint, limits: provider.batchLimits });
  if (check && report.faults.total > 0) throw invalidInput(report.faults);
  return report;
}

async function requestBatch(
  api: ProviderApi,
  input: CreateBatchInput,
  key: string | null,
): Promise<Reply<BatchSnapshot>> {
  const reply = await api.attempt('batches.create', (client) =>
    client.batches.create({
      ...input.extraBody,
      input_file_id: input.inputFileId,
      // Providers have further endpoints and windows, which the SDK's types do not know.
      endpoint: input.endpoint as '/v1/chat/completions',
      completion_window: input.completionWindow as '24h',
      ...(key !== null && { metadata: { ...input.metadata, [JOB_KEY]: key } }),
      ...(input.outputExpiresAfterSeconds !== null && {
        output_expires_after: { anchor: 'created_at', seconds: input.outputExpiresAfterSeconds },
      }),
    }),
  );
  return parseReply(BATCHES.schema, reply);
}
