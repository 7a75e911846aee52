/** Fine-tuning jobs at the provider: create once, find, watch, cancel, pause, resume. */
import { failure } from '../contract/failures.js';
import type { FineTuning } from 'openai/resources/fine-tuning/fine-tuning';
import { fineTuningEventSchema, fineTuningObjectSchema } from '../provider/objects/fine-tuning-job.js';
import { type FineTuningSnapshot } from '../contract/snapshots.js';
import type { TrainingSteps } from '../contract/fine-tuning.js';
import { JOB_KEY } from '../contract/job-key.js';
import { FINE_TUNING_JOBS } from '../provider/job-kinds.js';
import { PAGE_SIZES } from '../contract/limits.js';
import { isFineTuningEnd } from '../contract/status.js';
import { providerApi, type ProviderApi } from './calls/provider-api.js';
import { cancelDuplicates, createOnce, findInterrupted } from './calls/create-once.js';
import type { CreateFineTuningJobInput } from '../contract/activities/fine-tuning.js';
import type {
  CreatedOnce,
  InterruptedCreate,
  JobRef,
  JobSearch,
  Sighting,
  WatchInput,
} from '../contract/activities/jobs.js';
import { changeJob, parseJob, retrieve, keyedJobs } from './calls/jobs.js';
import { listAll } from './calls/list-all.js';
import { pageSchema } from '../provider/pages.js';
import type { ActivityContext } from './runtime/context.js';
import { watchJob } from './calls/watch.js';

export function fineTuningActivities(toolbox: ActivityContext) {
  return {
    /** Creates the job, or adopts the one that an earlier attempt created. For want of a slot it is retried until there is one. */
    async createFineTuningJob(input: CreateFineTuningJobInput): Promise<CreatedOnce<FineTuningSnapshot>> {
      const api = providerApi(toolbox, input.provider);
      return createOnce<FineTuningSnapshot>({
        ...keyedJobs(FINE_TUNING_JOBS, api, input),
        operation: 'fineTuning.create',
        mayExist: input.mayExist,
        onAmbiguousCreate: input.onAmbiguousCreate,
        lookFor: { trainingFileId: input.trainingFileId, model: input.model, createdSince: input.notBefore },
        beforeCreate: () => keepSlotsFree(api, input.leaveFreeSlots),
        create: async () =>
          parseJob(
            FINE_TUNING_JOBS,
            'create',
            await api.attempt((client) => client.fineTuning.jobs.create(createParams(api, input))),
          ),
      });
    },

    /** Cancels jobs that carry the key and are not the one that the run follows; answers with their ids. */
    async cancelFineTuningTwins(input: JobSearch & { readonly id: string }): Promise<{ cancelled: string[] }> {
      const api = providerApi(toolbox, input.provider);
      return { cancelled: await cancelDuplicates(keyedJobs(FINE_TUNING_JOBS, api, input), input.id) };
    },

    /** The oldest job that carries the key, or null: after a create whose outcome is not known. */
    async findFineTuningJob(input: InterruptedCreate): Promise<FineTuningSnapshot | null> {
      return findInterrupted(
        'fineTuning.create',
        keyedJobs(FINE_TUNING_JOBS, providerApi(toolbox, input.provider), input),
        input,
      );
    },

    /** Returns when the job's status has changed; until then fails as benign, to be retried at the time of the next look. */
    async watchFineTuningJob(
      input: WatchInput,
    ): Promise<Sighting<FineTuningSnapshot> & { steps: TrainingSteps | null }> {
      const api = providerApi(toolbox, input.provider);
      const sighting = await watchJob<FineTuningSnapshot>(api, toolbox.poll, input, {
        statuses: FINE_TUNING_JOBS.statuses,
        operation: 'fineTuning.retrieve',
        read: () => retrieve(FINE_TUNING_JOBS, api, input.id),
        describe: async (job) => {
          const steps = job.status === 'running' ? await lastSteps(api, input.id) : null;
          const text = steps ? `step ${steps.done}${steps.total === null ? '' : ` of ${steps.total}`}` : 'no step yet';
          return { text, data: { steps, estimatedFinish: job.timestamps.estimatedFinish } };
        },
      });
      return { ...sighting, steps: sighting.kind === 'changed' ? await lastSteps(api, input.id) : null };
    },

    /** Asks the provider to cancel, and tells how the job stands then. One that has ended is left as it is. */
    async cancelFineTuningJob(input: JobRef): Promise<FineTuningSnapshot | null> {
      return changeJob(FINE_TUNING_JOBS, providerApi(toolbox, input.provider), 'cancel', input.id);
    },

    /** Pauses a running job. */
    async pauseFineTuningJob(input: JobRef): Promise<FineTuningSnapshot | null> {
      return changeJob(FINE_TUNING_JOBS, providerApi(toolbox, input.provider), 'pause', input.id);
    },

    /** Resumes a paused job. */
    async resumeFineTuningJob(input: JobRef): Promise<FineTuningSnapshot | null> {
      return changeJob(FINE_TUNING_JOBS, providerApi(toolbox, input.provider), 'resume', input.id);
    },
  };
}

function createParams(api: ProviderApi, input: CreateFineTuningJobInput): FineTuning.JobCreateParams {
  return {
    model: input.model,
    training_file: input.trainingFileId,
    ...(input.validationFileId !== null && { validation_file: input.validationFileId }),
    // The method and the integrations are the API's own objects, passed on as the user wrote them.
    ...(input.method !== null && { method: input.method as unknown as FineTuning.JobCreateParams.Method }),
    ...(input.suffix !== null && { suffix: input.suffix }),
    ...(input.seed !== null && { seed: input.seed }),
    ...(input.integrations !== null && {
      integrations: input.integrations as unknown as FineTuning.JobCreateParams.Integration[],
    }),
    ...(api.provider.metadata && { metadata: { ...input.metadata, [JOB_KEY]: input.key } }),
  };
}

/** Waits (by a retryable failure) while creating one more job would leave fewer free slots than the spec wants. */
async function keepSlotsFree(api: ProviderApi, leaveFree: number): Promise<void> {
  const slots = api.provider.fineTuningSlots;
  if (slots === null || leaveFree === 0) return;
  let unfinished = 0;
  for await (const object of listAll(api, 'fineTuning.list', FINE_TUNING_JOBS.path, { limit: PAGE_SIZES.jobs })) {
    const reading = fineTuningObjectSchema.safeParse(object);
    if (reading.success && !isFineTuningEnd(reading.data.status)) unfinished += 1;
  }
  if (unfinished + 1 + leaveFree <= slots) return;
  const message = `${unfinished} of ${slots} slots are taken and ${leaveFree} must stay free; the create waits its turn`;
  const nothing = { status: null, type: null, param: null, requestId: null };
  const details = { operation: 'fineTuning.create', code: 'slots_kept_free', ...nothing };
  throw failure('WaitingForCapacity', message, details, { nextRetryDelay: 60_000 });
}

/** How far training is, by the newest event that says "Step n/N". It is only shown, so a failure to read it is none. */
async function lastSteps(api: ProviderApi, id: string): Promise<TrainingSteps | null> {
  const path = `${FINE_TUNING_JOBS.path}/${encodeURIComponent(id)}/events`;
  const { value } = await api.attempt((client) => client.get(path, { query: { limit: 20 } }));
  const page = pageSchema.safeParse(value);
  for (const object of page.success ? page.data.data : []) {
    const reading = fineTuningEventSchema.safeParse(object);
    const step = reading.success ? /^Step (\d+)(?:\/(\d+))?/i.exec(reading.data.message) : null;
    if (step) return { done: Number(step[1]), total: step[2] === undefined ? null : Number(step[2]) };
  }
  return null;
}
