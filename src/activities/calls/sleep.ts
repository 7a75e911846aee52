/** A run sleeps while the watch of its account shows its job. It checks that now and then, and seldom reads the job. */
import { activityInfo, getClient } from '@temporalio/activity';
import type { WatchedKind } from '../../contract/account-watch.js';
import type { WatchInput } from '../../contract/activities/jobs.js';
import { readWatch } from '../../temporal/account-view.js';
import type { ActivityContext } from '../runtime/context.js';
import { announce } from './announce.js';
import { nothingNew } from './nothing-new.js';
import { notBeyondExpiry } from './poll-interval.js';
import type { ProviderApi } from './provider-api.js';

/** By then, a watch that works has seen the job. */
const FIRST_CHECK_MS = 60_000;
/** So much may be added to the time between two checks, so that jobs that started together do not check together. */
const JITTER = 0.2;
/** A watch that has not swept for so many of its longest intervals is not relied on. */
const INTERVALS = 3;
/** A job that a watch does not show although it sweeps is announced again with every so many polls. */
const POLLS_PER_ANNOUNCEMENT = 20;

/**
 * Ends the attempt where the run may sleep on.
 *
 * @returns how long it may sleep after it has read its job; null where nobody watches the job, so that it must poll
 * @throws ApplicationFailure `NothingNew`, benign
 */
export async function sleepWhileWatched(
  context: ActivityContext,
  api: ProviderApi,
  kind: WatchedKind,
  input: WatchInput & { readonly watchedBy: string },
): Promise<number | null> {
  const { attempt, workflowExecution, currentAttemptScheduledTimestampMs: nowMs } = activityInfo();
  const { id, status, createdAt, expiresAt, watchedBy } = input;
  const until = (ms: number) =>
    notBeyondExpiry(ms, { nowMs, expiresAtMs: expiresAt === null ? null : expiresAt * 1_000 });
  if (attempt === 1) throw nothingNew(`${status}, watched by ${watchedBy}`, { status }, until(FIRST_CHECK_MS));

  const { isRunning, view } = await readWatch(getClient(), watchedBy).catch(() => ({ isRunning: true, view: null }));
  const isSweeping = view !== null && view.at * 1_000 >= nowMs - INTERVALS * context.poll.maxMs;
  const seen = isSweeping ? view.jobs.find((job) => job.id === id) : undefined;
  if (!seen) {
    if (!isRunning || (isSweeping && attempt % POLLS_PER_ANNOUNCEMENT === 2)) {
      const { workflowId } = workflowExecution!;
      await announce(context, api, 'account', { kind, id, status, workflowId, createdAt, expiresAt });
    }
    return null;
  }
  const sleepMs = until(context.watch.netMs * (1 + JITTER * Math.random()));
  // A list may be wrong, so every other time the run reads the job itself.
  if (attempt > 2 && attempt % 2 === 0) return sleepMs;
  const details = { status: seen.status, ...(seen.counts && { counts: seen.counts }), checkedAt: view!.at };
  throw nothingNew(`${seen.status}, watched by ${watchedBy}`, details, sleepMs);
}
