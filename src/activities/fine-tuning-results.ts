/** What a fine-tuning job leaves behind, collected into storage: its events, its checkpoints, its result files. */
import { ApplicationFailure } from '@temporalio/common';
import {
  checkpointSchema,
  fineTuningEventSchema,
  type Checkpoint,
  type FineTuningEvent,
} from '../provider/objects/fine-tuning-job.js';
import type { FileRef } from '../contract/file-ref.js';
import { FINE_TUNING_JOBS } from '../provider/job-kinds.js';
import { PAGE_SIZES } from '../contract/limits.js';
import type { CollectedFineTuning, CollectFineTuningInput } from '../contract/activities/fine-tuning.js';
import { jsonLines } from '../jsonl/json-lines.js';
import { safeName } from '../storage/safe-name.js';
import { providerApi, type ProviderApi } from './calls/provider-api.js';
import { openResultFile } from './calls/open-file.js';
import { withHeartbeat } from './runtime/heartbeat.js';
import { listAll } from './calls/list-all.js';
import type { ActivityContext } from './runtime/context.js';

export function fineTuningResultActivities(toolbox: ActivityContext) {
  const { storage } = toolbox;
  return {
    /** Keeps the events as `events.jsonl`, the result files under their ids, and the result itself as `manifest.json`. */
    async collectFineTuningResults(input: CollectFineTuningInput): Promise<CollectedFineTuning> {
      const api = providerApi(toolbox, input.provider);
      const { job } = input;
      const warnings = [...input.warnings];
      const place = (name: string) => storage.resolve(input.outputUri ?? storage.defaultRoot, safeName(job.id), name);

      return withHeartbeat(async () => {
        const events = await storage.write(place('events.jsonl'), jsonLines(await listEvents(api, job.id)));
        const resultFiles: FileRef[] = [];
        for (const fileId of job.resultFileIds) {
          const content = await openResultFile(api, fileId);
          if (content) resultFiles.push(await storage.write(place(`${safeName(fileId)}.csv`), content));
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
        await storage.write(place('manifest.json'), jsonLines([result]));
        return result;
      });
    },
  };
}

/** All events, oldest first, each once: pages may overlap while events are added, and events may share a second. */
async function listEvents(api: ProviderApi, id: string): Promise<FineTuningEvent[]> {
  const newestFirst = await allOf(api, 'fineTuning.events', id);
  const events = new Map<string, FineTuningEvent>();
  for (const object of newestFirst.toReversed()) {
    const reading = fineTuningEventSchema.safeParse(object);
    if (reading.success && !events.has(reading.data.id)) events.set(reading.data.id, reading.data);
  }
  // A stable sort: what shares a second stays in the order of the list.
  return [...events.values()].toSorted((a, b) => a.created_at - b.created_at);
}

/** All checkpoints, by step. */
async function listCheckpoints(api: ProviderApi, id: string): Promise<Checkpoint[]> {
  const objects = await allOf(api, 'fineTuning.checkpoints', id);
  const checkpoints = new Map<string, Checkpoint>();
  for (const object of objects) {
    const reading = checkpointSchema.safeParse(object);
    if (reading.success) checkpoints.set(reading.data.id, reading.data);
  }
  return [...checkpoints.values()].toSorted((a, b) => (a.stepNumber ?? 0) - (b.stepNumber ?? 0));
}

/** All items through all pages; none where the provider does not have the list. */
async function allOf(
  api: ProviderApi,
  operation: 'fineTuning.events' | 'fineTuning.checkpoints',
  id: string,
): Promise<unknown[]> {
  const name = operation === 'fineTuning.events' ? 'events' : 'checkpoints';
  const items: unknown[] = [];
  try {
    const path = `${FINE_TUNING_JOBS.path}/${encodeURIComponent(id)}/${name}`;
    for await (const item of listAll(api, operation, path, { limit: PAGE_SIZES[name] })) items.push(item);
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
  }
  return items;
}

/** The HTTP status in the details of an API failure. */
function statusOf(error: unknown): unknown {
  const detail: unknown = error instanceof ApplicationFailure ? error.details?.[0] : null;
  return detail && typeof detail === 'object' && 'status' in detail ? detail.status : null;
}
