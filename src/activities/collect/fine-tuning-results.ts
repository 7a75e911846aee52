/** The results of a fine-tuning job, collected into storage: its events, its checkpoints and its result files. */
import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { CollectedFineTuning, CollectFineTuningInput } from '../../contract/activities/fine-tuning.js';
import type { FileRef } from '../../contract/file-ref.js';
import { PAGE_SIZES } from '../../contract/limits.js';
import type { FineTuningSnapshot } from '../../contract/snapshots.js';
import { jsonLines } from '../../jsonl/json-lines.js';
import { FINE_TUNING_JOBS } from '../../provider/job-kinds.js';
import {
  checkpointSchema,
  fineTuningEventSchema,
  type Checkpoint,
  type FineTuningEvent,
} from '../../provider/objects/fine-tuning-job.js';
import { safeName } from '../../storage/safe-name.js';
import type { Storage } from '../../storage/storage.js';
import { retrieveJob } from '../calls/jobs.js';
import { listAll } from '../calls/list-all.js';
import { openResultFile } from '../calls/open-file.js';
import type { ProviderApi } from '../calls/provider-api.js';
import { withHeartbeat } from '../runtime/heartbeat.js';
import { Settling } from './settling.js';
import { withoutBase64 } from './without-base64.js';

/** From this attempt on, a list that cannot be read is left out: it is only a by-product of the job. */
const LEAVE_OUT_LISTS_FROM_ATTEMPT = 3;

/**
 * Writes `events.jsonl`, the result files and `manifest.json` to `<outputUri>/<job id>/`. Parts that the provider does
 * not give out become warnings.
 *
 * @throws ApplicationFailure `NotSettled` while the model's name or a result file is missing
 */
export async function collectFineTuning(
  api: ProviderApi,
  storage: Storage,
  input: CollectFineTuningInput,
): Promise<CollectedFineTuning> {
  const settling = new Settling(input.settleForMs);
  return withHeartbeat(async () => {
    const mayBeIncomplete = settling.hasBegun || lacksModel(input.job);
    const job = mayBeIncomplete ? await readAgain(api, input.job) : input.job;
    return collect(api, storage, { ...input, job }, settling);
  }, settling.details);
}

async function collect(
  api: ProviderApi,
  storage: Storage,
  input: CollectFineTuningInput,
  settling: Settling,
): Promise<CollectedFineTuning> {
  const { job } = input;
  const warnings = [...input.warnings];
  const lacks: string[] = [];
  const uriOf = (name: string) => storage.resolve(input.outputUri ?? storage.defaultRoot, safeName(job.id), name);

  if (lacksModel(job)) lacks.push('it does not name the fine-tuned model');
  const events = await listEvents(api, job.id, warnings);
  const eventsFile = await storage.write(uriOf('events.jsonl'), jsonLines(events));
  const resultFiles: FileRef[] = [];
  for (const fileId of job.resultFileIds) {
    const content = await openResultFile(api, fileId, ({ reason }) => lacks.push(reason));
    if (content) resultFiles.push(await storage.write(uriOf(`${safeName(fileId)}.csv`), withoutBase64(content)));
  }
  if (lacks.length > 0) {
    settling.mustWaitFor(lacks, job.id);
    warnings.push(`The provider's results are incomplete: ${lacks.join('; ')}`);
  }
  const result: CollectedFineTuning = {
    status: job.status,
    jobId: job.id,
    fineTunedModel: job.fineTunedModel,
    trainedTokens: job.trainedTokens,
    hyperparameters: job.hyperparameters,
    method: job.method,
    checkpoints: await listCheckpoints(api, job.id, warnings),
    resultFiles,
    events: eventsFile,
    timestamps: { createdAt: job.timestamps.createdAt, finishedAt: job.timestamps.finishedAt },
    cancellation: input.cancellation,
    warnings,
    lastError: events.findLast(({ level }) => level === 'error')?.message ?? null,
  };
  const { lastError: _, ...manifest } = result;
  await storage.write(uriOf('manifest.json'), jsonLines([manifest]));
  return result;
}

const lacksModel = ({ status, fineTunedModel }: FineTuningSnapshot): boolean =>
  status === 'succeeded' && fineTunedModel === null;

/** The job as the provider shows it now. A reply that lags does not undo what is known. */
async function readAgain(api: ProviderApi, known: FineTuningSnapshot): Promise<FineTuningSnapshot> {
  const { value: job } = await retrieveJob(FINE_TUNING_JOBS, api, known.id);
  if (job?.status !== known.status) return known;
  const resultFileIds = job.resultFileIds.length > 0 ? job.resultFileIds : known.resultFileIds;
  return { ...job, fineTunedModel: job.fineTunedModel ?? known.fineTunedModel, resultFileIds };
}

/**
 * All events, oldest first, each once: pages may overlap while events are added, and events may have the same second.
 */
async function listEvents(api: ProviderApi, id: string, warnings: string[]): Promise<FineTuningEvent[]> {
  const newestFirst = await listAsFarAsGiven(api, 'events', id, warnings);
  const events = new Map<string, FineTuningEvent>();
  for (const object of newestFirst.toReversed()) {
    const event = fineTuningEventSchema.safeParse(object).data;
    if (!event) continue;
    // Together sends events without an id.
    const key = event.id ?? JSON.stringify(event);
    if (!events.has(key)) events.set(key, event);
  }
  // The sort is stable: events of the same second stay in the order of the list.
  return [...events.values()].toSorted((a, b) => (a.created_at ?? 0) - (b.created_at ?? 0));
}

/** All checkpoints, by step. */
async function listCheckpoints(api: ProviderApi, id: string, warnings: string[]): Promise<Checkpoint[]> {
  const checkpoints = new Map<string, Checkpoint>();
  for (const object of await listAsFarAsGiven(api, 'checkpoints', id, warnings)) {
    const reading = checkpointSchema.safeParse(object);
    if (reading.success) checkpoints.set(reading.data.id, reading.data);
  }
  return [...checkpoints.values()].toSorted((a, b) => (a.stepNumber ?? 0) - (b.stepNumber ?? 0));
}

/**
 * The objects of a list as far as the provider gives them; none if it does not have the list (404). A refusal, or an
 * outage over several attempts, becomes a warning: the job has succeeded without the list.
 */
async function listAsFarAsGiven(
  api: ProviderApi,
  name: 'events' | 'checkpoints',
  id: string,
  warnings: string[],
): Promise<unknown[]> {
  const path = `${FINE_TUNING_JOBS.path}/${encodeURIComponent(id)}/${name}`;
  const objects: unknown[] = [];
  try {
    for await (const object of listAll(api, `fineTuning.${name}`, path, { limit: PAGE_SIZES[name] })) {
      objects.push(object);
    }
  } catch (error) {
    if (!(error instanceof ApplicationFailure)) throw error;
    if (!error.nonRetryable && activityInfo().attempt < LEAVE_OUT_LISTS_FROM_ATTEMPT) throw error;
    if (statusInDetails(error) !== 404) warnings.push(`The ${name} could not be read completely: ${error.message}`);
  }
  return objects;
}

/** The HTTP status in the details of an API failure. */
function statusInDetails(error: unknown): unknown {
  const detail: unknown = error instanceof ApplicationFailure ? error.details?.[0] : null;
  return detail && typeof detail === 'object' && 'status' in detail ? detail.status : null;
}
