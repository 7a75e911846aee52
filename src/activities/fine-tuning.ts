/** Fine-tuning jobs: check the files, create once, find, watch, cancel, pause, resume, collect. */
import type { FineTuning } from 'openai/resources/fine-tuning/fine-tuning';
import type { AnnouncedJob } from '../contract/account-watch.js';
import type {
  CheckedTrainingFile,
  CheckTrainingFileInput,
  CollectedFineTuning,
  CollectFineTuningInput,
  CreateFineTuningJobInput,
  FineTuningActivities,
  FineTuningSighting,
} from '../contract/activities/fine-tuning.js';
import type {
  CancelInput,
  CancelReply,
  CreatedOnce,
  Duplicates,
  InterruptedCreate,
  JobRef,
  JobSearch,
  WatchInput,
} from '../contract/activities/jobs.js';
import { failure, invalidInput } from '../contract/failures.js';
import { JOB_KEY } from '../contract/job-key.js';
import { safeParse } from '../contract/safe-parse.js';
import type { FineTuningSnapshot } from '../contract/snapshots.js';
import { FINE_TUNING_JOBS } from '../provider/job-kinds.js';
import { parseReply, type Reply } from '../provider/reply.js';
import { checkTrainingFile } from '../training/check-examples.js';
import { NO_CAPACITY_DELAY_MS } from './calls/api-failure.js';
import { announce } from './calls/announce.js';
import { cancelDuplicates, createOnce, findInterrupted } from './calls/create-once.js';
import { cancelJob, changeJob } from './calls/jobs.js';
import { keyedJobs, keyForMetadata } from './calls/keyed-jobs.js';
import { listAll } from './calls/list-all.js';
import { waitUntilFileIsProcessed } from './calls/file-processing.js';
import { openFile } from './calls/open-file.js';
import { providerApi, type ProviderApi } from './calls/provider-api.js';
import { latestStep } from './calls/training-steps.js';
import { watchJob } from './calls/watch.js';
import { assertSupported } from './calls/assert-supported.js';
import { assertMayHoldResults, manifestUri } from './calls/results-location.js';
import { collectFineTuning } from './collect/fine-tuning-results.js';
import { cancelInputOf } from './operators/inputs.js';
import type { ActivityContext } from './runtime/context.js';
import { untilCancelled, withHeartbeat } from './runtime/heartbeat.js';
import { recordRun } from './runtime/record-run.js';

export class FineTuningActivityGroup implements FineTuningActivities {
  readonly #context: ActivityContext;

  constructor(context: ActivityContext) {
    this.#context = context;
  }

  async checkTrainingFile(input: CheckTrainingFileInput): Promise<CheckedTrainingFile> {
    const { storage } = this.#context;
    const api = this.#api(input);
    assertSupported(api.provider, 'fineTuning', ...('fileId' in input.file ? [] : (['uploads'] as const)));
    assertMayHoldResults(storage, input.outputUri);
    return withHeartbeat(async () => {
      if ('fileId' in input.file) {
        const { fileId } = input.file;
        await waitUntilFileIsProcessed(api, fileId);
        const { content } = await openFile(api, fileId);
        // A provider need not give a file back. Then only the provider checks the examples.
        if (!content) return { examples: null, fileId };
        return { examples: (await checkExamples(api, input, content)).examples, fileId };
      }
      const { uri } = input.file;
      const content = storage.read(uri, { reuse: true });
      const { examples, bytes, sha256, hasByteOrderMark } = await checkExamples(api, input, content);
      return { examples, file: { uri, bytes, sha256, hasByteOrderMark } };
    });
  }

  async createFineTuningJob(input: CreateFineTuningJobInput): Promise<CreatedOnce<FineTuningSnapshot>> {
    const api = this.#api(input);
    const key = await keyForMetadata(api, input.owner);
    const created = await createOnce<FineTuningSnapshot>({
      ...keyedJobs(FINE_TUNING_JOBS, api, input),
      operation: 'fineTuning.create',
      startedAt: input.startedAt,
      mayExist: input.mayExist,
      onAmbiguousCreate: input.onAmbiguousCreate,
      lookFor: { trainingFileId: input.trainingFileId, model: input.model, createdSince: input.startedAt },
      beforeCreate: () => assertSlotsStayFree(api, input.leaveFreeSlots),
      create: () => requestFineTuningJob(api, input, key),
    });
    const { id, status, timestamps } = created.job;
    const { createdAt } = timestamps;
    const { workflowId } = input.owner;
    const job: AnnouncedJob = { kind: 'fineTuning', id, status, workflowId, createdAt, expiresAt: null };
    return { ...created, watchedBy: await announce(this.#context, api, input.watch, job) };
  }

  async findFineTuningJob(input: InterruptedCreate): Promise<FineTuningSnapshot | null> {
    return findInterrupted('fineTuning.create', keyedJobs(FINE_TUNING_JOBS, this.#api(input), input), input);
  }

  async cancelDuplicateFineTuningJobs(input: JobSearch & { readonly id: string }): Promise<Duplicates> {
    return cancelDuplicates(keyedJobs(FINE_TUNING_JOBS, this.#api(input), input), input.id);
  }

  async watchFineTuningJob(input: WatchInput): Promise<FineTuningSighting> {
    const api = this.#api(input);
    const sighting = await watchJob<FineTuningSnapshot>(this.#context, api, input, {
      kind: FINE_TUNING_JOBS,
      describe: async (job) => {
        const steps = job.status === 'running' ? await latestStep(api, input.id) : null;
        const text = steps ? `step ${steps.done}${steps.total === null ? '' : ` of ${steps.total}`}` : 'no step yet';
        return { text, data: { steps, estimatedFinish: job.timestamps.estimatedFinish } };
      },
    });
    const hasSteps =
      sighting.kind === 'changed' || (sighting.kind === 'unchanged' && sighting.job?.status === 'running');
    return { ...sighting, steps: hasSteps ? await latestStep(api, input.id) : null };
  }

  async cancelFineTuningJob(given: CancelInput): Promise<CancelReply<FineTuningSnapshot>> {
    const input = cancelInputOf(given);
    return cancelJob(FINE_TUNING_JOBS, this.#api(input), input);
  }

  async pauseFineTuningJob(input: JobRef): Promise<FineTuningSnapshot | null> {
    return changeJob(FINE_TUNING_JOBS, this.#api(input), input.id, {
      operation: 'fineTuning.pause',
      request: (client) => client.fineTuning.jobs.pause(input.id),
    });
  }

  async resumeFineTuningJob(input: JobRef): Promise<FineTuningSnapshot | null> {
    return changeJob(FINE_TUNING_JOBS, this.#api(input), input.id, {
      operation: 'fineTuning.resume',
      request: (client) => client.fineTuning.jobs.resume(input.id),
    });
  }

  async collectFineTuningResults(input: CollectFineTuningInput): Promise<CollectedFineTuning> {
    const { storage } = this.#context;
    return withHeartbeat(async () => {
      const collected = await collectFineTuning(this.#api(input), storage, input);
      await recordRun(storage, manifestUri(storage, input.outputUri, input.job.id));
      return collected;
    });
  }

  #api({ provider }: { readonly provider: string }): ProviderApi {
    return providerApi(this.#context, provider);
  }
}

/** @throws ApplicationFailure `InvalidInput` with the first faults */
async function checkExamples(
  { provider }: ProviderApi,
  { method, role, model, check }: CheckTrainingFileInput,
  content: AsyncIterable<Uint8Array>,
) {
  const rules = provider.trainingRules;
  const report = await checkTrainingFile(untilCancelled(content), { method, role, model, rules });
  if (check && report.faults.total > 0) throw invalidInput(report.faults, `${role} file: `);
  return report;
}

async function requestFineTuningJob(
  api: ProviderApi,
  input: CreateFineTuningJobInput,
  key: string | null,
): Promise<Reply<FineTuningSnapshot>> {
  const reply = await api.attempt('fineTuning.create', (client) =>
    client.fineTuning.jobs.create({
      ...input.extraBody,
      model: input.model,
      training_file: input.trainingFileId,
      ...(input.validationFileId !== null && { validation_file: input.validationFileId }),
      // The method and the integrations are objects of the API, passed on as the spec contains them.
      ...(input.method !== null && { method: input.method as unknown as FineTuning.JobCreateParams.Method }),
      ...(input.suffix !== null && { suffix: input.suffix }),
      ...(input.seed !== null && { seed: input.seed }),
      ...(input.integrations !== null && {
        integrations: input.integrations as unknown as FineTuning.JobCreateParams.Integration[],
      }),
      ...(key !== null && { metadata: { ...input.metadata, [JOB_KEY]: key } }),
    }),
  );
  return parseReply(FINE_TUNING_JOBS.schema, reply);
}

/**
 * Checks that one more job leaves as many slots free as the spec asks for.
 *
 * @throws ApplicationFailure `WaitingForCapacity`, which is retried
 */
async function assertSlotsStayFree(api: ProviderApi, leaveFree: number): Promise<void> {
  const slots = api.provider.fineTuningSlots;
  if (slots === null || leaveFree === 0) return;
  const { path, pageSize: limit, schema, statuses } = FINE_TUNING_JOBS;
  let unfinished = 0;
  for await (const object of listAll(api, 'fineTuning.list', path, { limit })) {
    const reading = safeParse(schema, object);
    if (reading.success && !statuses.isEnd(reading.data.status)) unfinished += 1;
  }
  if (unfinished + 1 + leaveFree <= slots) return;
  throw failure(
    'WaitingForCapacity',
    `${unfinished} of ${slots} fine-tuning slots are in use and ${leaveFree} must stay free; waiting for a slot`,
    {
      operation: 'fineTuning.create',
      status: null,
      code: 'slots_kept_free',
      type: null,
      param: null,
      requestId: null,
    },
    { nextRetryDelay: NO_CAPACITY_DELAY_MS },
  );
}
