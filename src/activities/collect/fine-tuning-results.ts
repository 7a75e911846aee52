/** The results of a fine-tuning job, collected into storage: its events, its checkpoints and its result files. */
import { ApplicationFailure } from '@temporalio/common';
import type { CollectedFineTuning, CollectFineTuningInput } from '../../contract/activities/fine-tuning.js';
import type { FileRef } from '../../contract/file-ref.js';
import { PAGE_SIZES } from '../../contract/limits.js';
import { safeParse } from '../../contract/safe-parse.js';
import type { FineTuningSnapshot } from '../../contract/snapshots.js';
import { bounded } from '../../contract/text.js';
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
import { resultUri } from '../calls/results-location.js';
import { withHeartbeat } from '../runtime/heartbeat.js';
import { type Lack, Settling } from './settling.js';
import { withoutBase64 } from './without-base64.js';

/**
 * How long a by-product is waited for that the provider does not give out although the job can be read. Nobody should
 * wait longer for the model's name.
 */
const WAIT_FOR_BY_PRODUCT_MS = 5_000;

/** Levels of events that say why a job failed. */
const ERROR_LEVEL = /^(error|fatal|critical)$/i;

/** What was read, and what is lacking. */
interface Collection {
  readonly api: ProviderApi;
  readonly job: FineTuningSnapshot;
  readonly warnings: string[];
  readonly lacks: Lack[];
}

/**
 * Writes `events.jsonl`, the result files and `manifest.json` to `<outputUri>/<job id>/`. Parts that the provider does
 * not give out become warnings.
 *
 * @throws ApplicationFailure `NotSettled` while the model's name or a part is missing that may still come
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
  const collection: Collection = { api, job, warnings: [...input.warnings], lacks: [] };
  const uriOf = (name: string) => resultUri(storage, input.outputUri, job.id, name);

  const events = await listEvents(collection);
  const eventsFile = await storage.write(uriOf('events.jsonl'), jsonLines(events));
  const checkpoints = await listCheckpoints(collection);
  const resultFiles: FileRef[] = [];
  for (const fileId of job.resultFileIds) {
    const uri = uriOf(`${safeName(fileId)}.csv`);
    const written = await downloadResultFile(collection, fileId, (content) => storage.write(uri, content));
    if (written) resultFiles.push(written);
  }
  const { warnings, lacks } = collection;
  if (lacksModel(job)) lacks.unshift({ key: 'model', reason: 'it does not name the fine-tuned model' });
  settling.mustWaitFor(lacks, job.id);
  if (lacks.length > 0) {
    warnings.push(`The provider's results are incomplete: ${lacks.map(({ reason }) => reason).join('; ')}`);
  }
  const result: CollectedFineTuning = {
    status: job.status,
    jobId: job.id,
    fineTunedModel: job.fineTunedModel,
    trainedTokens: job.trainedTokens,
    hyperparameters: job.hyperparameters,
    method: job.method,
    checkpoints,
    resultFiles,
    events: eventsFile,
    timestamps: { createdAt: job.timestamps.createdAt, finishedAt: job.timestamps.finishedAt },
    cancellation: input.cancellation,
    warnings,
    lastError: lastErrorIn(events),
  };
  const { lastError: _, ...manifest } = result;
  await storage.write(uriOf('manifest.json'), jsonLines([manifest]));
  return result;
}

function lastErrorIn(events: readonly FineTuningEvent[]): string | null {
  const event = events.findLast(({ level, message }) => ERROR_LEVEL.test(level) && message.trim() !== '');
  return event ? bounded(event.message) : null;
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
async function listEvents(collection: Collection): Promise<FineTuningEvent[]> {
  const newestFirst = await listAsFarAsGiven(collection, 'events');
  const events = new Map<string, FineTuningEvent>();
  for (const object of newestFirst.toReversed()) {
    const event = safeParse(fineTuningEventSchema, object).data;
    if (!event) continue;
    // Together sends events without an id.
    const key = event.id ?? JSON.stringify(event);
    if (!events.has(key)) events.set(key, event);
  }
  // An event without a time stays behind the one before it in the list.
  let time = 0;
  const timed = [...events.values()].map((event) => ({ event, time: (time = event.created_at ?? time) }));
  // The sort is stable: events of the same second stay in the order of the list.
  return timed.toSorted((a, b) => a.time - b.time).map(({ event }) => event);
}

/** All checkpoints, by step. */
async function listCheckpoints(collection: Collection): Promise<Checkpoint[]> {
  const checkpoints = new Map<string, Checkpoint>();
  for (const object of await listAsFarAsGiven(collection, 'checkpoints')) {
    const reading = safeParse(checkpointSchema, object);
    if (reading.success) checkpoints.set(reading.data.id, reading.data);
  }
  return [...checkpoints.values()].toSorted((a, b) => (a.stepNumber ?? 0) - (b.stepNumber ?? 0));
}

/** The objects of a list as far as the provider gives them; none if it does not have the list (404). */
async function listAsFarAsGiven(
  { api, job, warnings, lacks }: Collection,
  name: 'events' | 'checkpoints',
): Promise<unknown[]> {
  const path = `${FINE_TUNING_JOBS.path}/${encodeURIComponent(job.id)}/${name}`;
  const objects: unknown[] = [];
  try {
    for await (const object of listAll(api, `fineTuning.${name}`, path, { limit: PAGE_SIZES[name] })) {
      objects.push(object);
    }
  } catch (error) {
    const { status, message, isBusy } = await refusalOfPart(api, job.id, error);
    const reason = `${name} could not be read completely: ${message}`;
    if (!isFinalRefusal(status)) {
      lacks.push({ key: name, reason: `the ${reason}`, ...(!isBusy && { forMs: WAIT_FOR_BY_PRODUCT_MS }) });
    } else if (status !== 404) {
      warnings.push(`The ${reason}`);
    }
  }
  return objects;
}

/**
 * Downloads a result file as far as it is given; null if it is refused. A file of a job that succeeded may be published
 * late.
 */
async function downloadResultFile(
  { api, job, lacks }: Collection,
  fileId: string,
  write: (content: AsyncIterable<Uint8Array>) => Promise<FileRef>,
): Promise<FileRef | null> {
  const lack = (reason: string, mayComeLate: boolean) => {
    const isWaitedFor = mayComeLate && job.status === 'succeeded';
    lacks.push({ key: fileId, reason, ...(!isWaitedFor && { forMs: WAIT_FOR_BY_PRODUCT_MS }) });
  };
  try {
    const content = await openResultFile(api, fileId, 'csv', ({ reason, refusal }) =>
      lack(reason, refusal === null || refusal.status === 404 || refusal.status === 410),
    );
    return content && (await write(withoutBase64(content)));
  } catch (error) {
    const { message, isBusy } = await refusalOfPart(api, job.id, error);
    lack(`${fileId} could not be read: ${message}`, isBusy);
    return null;
  }
}

/** Whether a list will not be given out however often it is asked for. */
const isFinalRefusal = (status: number | null): boolean =>
  status !== null && status >= 400 && status < 500 && ![401, 402, 408, 409, 425, 429].includes(status);

/**
 * The API's answer for a part of the results, if the job itself can be read meanwhile: then the provider can be reached
 * and the key is good, and only this part is not given out.
 *
 * @throws the same error otherwise, since everything else would be refused too
 */
async function refusalOfPart(api: ProviderApi, jobId: string, error: unknown): Promise<PartRefusal> {
  if (!(error instanceof ApplicationFailure)) throw error;
  const status = statusInDetails(error);
  const refusal = { status, message: error.message, isBusy: status === 429 && !error.nonRetryable };
  if (isFinalRefusal(status)) return refusal;
  const { error: jobError } = await retrieveJob(FINE_TUNING_JOBS, api, jobId);
  if (jobError) throw error;
  return refusal;
}

interface PartRefusal {
  readonly status: number | null;
  readonly message: string;
  /** Whether a rate limit is reached, which passes. */
  readonly isBusy: boolean;
}

/** The HTTP status in the details of an API failure; null if there is none. */
function statusInDetails(error: ApplicationFailure): number | null {
  const detail: unknown = error.details?.[0];
  const status = detail && typeof detail === 'object' && 'status' in detail ? detail.status : null;
  return typeof status === 'number' ? status : null;
}
