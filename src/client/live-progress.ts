/**
 * Progress that is fresher than the workflow's own. While a job is polled, each attempt that sees no change fails with
 * the benign `NothingNew`: that costs no history, so the workflow does not learn of it, but Temporal keeps the last
 * failure and its counts. While a run sleeps, the watch of its account knows the job's counts.
 */
import { ApplicationFailure, type Client, type WorkflowHandle } from '@temporalio/client';
import { z } from 'zod';
import type { CommonProgress } from '../contract/progress.js';
import { readWatch } from '../temporal/account-view.js';

const detailsSchema = z.looseObject({ status: z.string(), checkedAt: z.number() });

/** What others than the workflow saw last of its job. */
export interface LatestSight {
  /** Epoch seconds. */
  readonly checkedAt: number;
  /** Fields of the `progress` answer: `status`, and `counts` or `steps`. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The workflow's progress, with what was seen last of its job. */
export async function withLatest<T extends CommonProgress>(
  client: Client,
  handle: WorkflowHandle,
  progress: T,
): Promise<T> {
  const { jobId, watchedBy } = progress;
  const sights = [
    await latestPoll(client, handle),
    jobId !== null && watchedBy !== null ? await latestSweep(client, watchedBy, jobId) : null,
  ];
  let latest = progress;
  for (const sight of sights) {
    if (!sight || sight.checkedAt < (latest.lastCheckedAt ?? 0)) continue;
    latest = { ...latest, ...sight.fields, lastCheckedAt: sight.checkedAt };
  }
  return latest;
}

/** Null if no job is being polled, or if its failure cannot be decoded (as with an encrypting codec). */
async function latestPoll(client: Client, handle: WorkflowHandle): Promise<LatestSight | null> {
  const { raw } = await handle.describe();
  const { payloadConverter, failureConverter } = client.options.loadedDataConverter;
  for (const { lastFailure } of raw.pendingActivities ?? []) {
    if (!lastFailure) continue;
    try {
      const failure = failureConverter.failureToError(lastFailure, payloadConverter);
      if (!(failure instanceof ApplicationFailure) || failure.type !== 'NothingNew') continue;
      const { checkedAt, ...fields } = detailsSchema.parse(failure.details?.[0]);
      return { checkedAt, fields };
    } catch {
      return null;
    }
  }
  return null;
}

/** Null if the watch does not show the job: it has ended, or was not seen yet. */
async function latestSweep(client: Client, watchId: string, jobId: string): Promise<LatestSight | null> {
  const { view } = await readWatch(client, watchId);
  const job = view?.jobs.find(({ id }) => id === jobId);
  if (!view || !job || job.status === '') return null;
  const { status, counts, steps } = job;
  return { checkedAt: view.at, fields: { status, ...(counts && { counts }), ...(steps && { steps }) } };
}
