import type { TrainingSteps } from '../../contract/fine-tuning.js';
import { safeParse } from '../../contract/safe-parse.js';
import { FINE_TUNING_JOBS } from '../../provider/job-kinds.js';
import { fineTuningEventSchema } from '../../provider/objects/fine-tuning-job.js';
import { pageSchema } from '../../provider/pages.js';
import { parseReply } from '../../provider/reply.js';
import type { ProviderApi } from './provider-api.js';

/** Events that are read to find the latest training step. */
const RECENT_EVENTS = 20;

/**
 * The latest training step, from the newest event that says "Step n/N"; null if there is none, or if events cannot be
 * read.
 */
export async function latestStep(api: ProviderApi, id: string): Promise<TrainingSteps | null> {
  const path = `${FINE_TUNING_JOBS.path}/${encodeURIComponent(id)}/events`;
  const query = { limit: RECENT_EVENTS };
  const { value: page } = parseReply(
    pageSchema,
    await api.attempt('fineTuning.events', (client) => client.get(path, { query })),
  );
  for (const object of page?.data ?? []) {
    const reading = safeParse(fineTuningEventSchema, object);
    const step = reading.success ? /^Step (\d+)(?:\/(\d+))?/i.exec(reading.data.message) : null;
    if (step) return { done: Number(step[1]), total: step[2] === undefined ? null : Number(step[2]) };
  }
  return null;
}
