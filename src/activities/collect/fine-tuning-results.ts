/** The results of a fine-tuning job, collected into storage: its events, its checkpoints and its result files. */
import { ApplicationFailure } from '@temporalio/common';
import type { CollectedFineTuning, CollectFineTuningInput } from '../../contract/activities/fine-tuning.js';
import type { FileRef } from '../../contract/file-ref.js';
import { PAGE_SIZES } from '../../contract/limits.js';
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
import { listAll } from '../calls/list-all.js';
import { openResultFile } from '../calls/open-file.js';
import type { ProviderApi } from '../calls/provider-api.js';

/** Writes `events.jsonl`, the result files and `manifest.json` to `<outputUri>/<job id>/`. */
export async function collectFineTuning(
  api: ProviderApi,
  storage: Storage,
  input: CollectFineTuningInput,
): Promise<CollectedFineTuning> {
  const { job } = input;
  const warnings = [...input.warnings];
  const uriOf = (name: string) => storage.resolve(input.outputUri ?? storage.defaultRoot, safeName(job.id), name);

  const events = await storage.write(uriOf('events.jsonl'), jsonLines(await listEvents(api, job.id)));
  const resultFiles: FileRef[] = [];
  for (const fileId of job.resultFileIds) {
    const content = await openResultFile(api, fileId);
    if (content) resultFiles.push(await storage.write(uriOf(`${safeName(fileId)}.csv`), content));
    else warnings.push(`The provider no longer has the result file ${fileId}`);
  }
  const result: CollectedFineTuning = {
    status: job.status,
    jobId: job.id,
    fineTunedModel: job.fineTunedModel,
    trainedTokens: job.trainedTokens,
    hyperparameters: job.hyperparameters,
    method: job.method,
    checkpoints: await listCheckpoints(api, job.id),
    resultFiles,
    events,
    timestamps: { createdAt: job.timestamps.createdAt, finishedAt: job.timestamps.finishedAt },
    cancellation: input.cancellation,
    warnings,
  };
  await storage.write(uriOf('manifest.json'), jsonLines([result]));
  return result;
}

/**
 * All events, oldest first, each once: pages may overlap while events are added, and events may have the same second.
 */
async function listEvents(api: ProviderApi, id: string): Promise<FineTuningEvent[]> {
  const newestFirst = await listOrEmpty(api, 'events', id);
  const events = new Map<string, FineTuningEvent>();
  for (const object of newestFirst.toReversed()) {
    const reading = fineTuningEventSchema.safeParse(object);
    if (reading.success && !events.has(reading.data.id)) events.set(reading.data.id, reading.data);
  }
  // The sort is stable: events of the same second stay in the order of the list.
  return [...events.values()].toSorted((a, b) => a.created_at - b.created_at);
}

/** All checkpoints, by step. */
async function listCheckpoints(api: ProviderApi, id: string): Promise<Checkpoint[]> {
  const checkpoints = new Map<string, Checkpoint>();
  for (const object of await listOrEmpty(api, 'checkpoints', id)) {
    const reading = checkpointSchema.safeParse(object);
    if (reading.success) checkpoints.set(reading.data.id, reading.data);
  }
  return [...checkpoints.values()].toSorted((a, b) => (a.stepNumber ?? 0) - (b.stepNumber ?? 0));
}

/** All objects of a list; none if the provider does not have the list (404). */
async function listOrEmpty(api: ProviderApi, name: 'events' | 'checkpoints', id: string): Promise<unknown[]> {
  const path = `${FINE_TUNING_JOBS.path}/${encodeURIComponent(id)}/${name}`;
  const objects: unknown[] = [];
  try {
    for await (const object of listAll(api, `fineTuning.${name}`, path, { limit: PAGE_SIZES[name] })) {
      objects.push(object);
    }
  } catch (error) {
    if (statusInDetails(error) !== 404) throw error;
  }
  return objects;
}

/** The HTTP status in the details of an API failure. */
function statusInDetails(error: unknown): unknown {
  const detail: unknown = error instanceof ApplicationFailure ? error.details?.[0] : null;
  return detail && typeof detail === 'object' && 'status' in detail ? detail.status : null;
}
