/** A run sleeps while the watch of its account shows its job. It checks that now and then, and seldom reads the job. */
import { activityInfo, getClient, log } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import type { WatchedJob, WatchedKind } from '../../contract/account-watch.js';
import type { WatchInput } from '../../contract/activities/jobs.js';
import { readWatch, type AccountView, type AccountWatch } from '../../temporal/account-view.js';
import type { ActivityContext } from '../runtime/context.js';
import { announce } from './announce.js';
import { nothingNew } from './nothing-new.js';
import { notBeyondExpiry } from './poll-interval.js';
import type { ProviderApi } from './provider-api.js';

/** By then, a watch that works has seen the job: it begins anew within a minute for a new one. */
const FIRST_CHECK_MS = 120_000;
/** So much may be added to the time between two checks, so that jobs that started together do not check together. */
const JITTER = 0.2;
/** A watch that has not swept for so many of its longest intervals is not relied on. */
const INTERVALS = 3;
/** What was read of a watch is used for so long, by Temporal's clock. */
const SHARED_MS = 5_000;
/** A job that a watch does not show although it sweeps is announced again with every so many polls. */
const POLLS_PER_ANNOUNCEMENT = 20;

export type WatchedInput = WatchInput & { readonly watchedBy: string };

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
  input: WatchedInput,
): Promise<number | null> {
  const { attempt, currentAttemptScheduledTimestampMs: nowMs } = activityInfo();
  const { id, status, expiresAt, watchedBy } = input;
  const until = (ms: number) =>
    notBeyondExpiry(ms, { nowMs, expiresAtMs: expiresAt === null ? null : expiresAt * 1_000 });
  const { isRunning, view, seen } = await seenByWatch(context, input);
  if (!view || !seen) {
    // A watch that took the job for ended, as after a reset of the run, will not see it by itself.
    const isLost = !isRunning || (view?.told.includes(id) ?? false);
    // Where many jobs begin at once, a sweep takes a while.
    if (!isLost && (attempt === 1 || (attempt === 2 && view !== null))) {
      throw nothingNew(`${status}, watched by ${watchedBy}`, { status }, until(FIRST_CHECK_MS));
    }
    const isHidden = view !== null && attempt % POLLS_PER_ANNOUNCEMENT === 3;
    if (isLost || isHidden) await announceAgain(context, api, kind, input);
    return null;
  }
  const sleepMs = until(context.watch.netMs * (1 + JITTER * Math.random()));
  // A list may be wrong about a job, so every other time the run reads one that the watch has not confirmed.
  const isConfirmed = seen.confirmedAt * 1_000 >= nowMs - context.watch.netMs;
  if (!isConfirmed && attempt > 2 && attempt % 2 === 0) return sleepMs;
  const details = {
    status: seen.status,
    ...(seen.counts && { counts: seen.counts }),
    ...(seen.steps && { steps: seen.steps }),
    checkedAt: view.at,
  };
  throw nothingNew(`${seen.status}, watched by ${watchedBy}`, details, sleepMs);
}

/** Announces a job that is still open to a watch that no longer shows it: its list reported an end, or it was restarted. */
export async function keepWatched(
  context: ActivityContext,
  api: ProviderApi,
  kind: WatchedKind,
  input: WatchedInput,
): Promise<void> {
  const { seen } = await seenByWatch(context, input);
  if (!seen) await announceAgain(context, api, kind, input);
}

interface LatestRead {
  readonly atMs: number;
  readonly watch: Promise<AccountWatch>;
  /** Runs that it has served. None is served twice: in the test server, a retry has the time of the attempt before. */
  readonly runs: Set<string>;
}

/** By workflow id of the watch. */
const latest = new WeakMap<Client, Map<string, LatestRead>>();

/** Thousands of runs that began together check together: what one of them reads serves the others. */
async function latestOf(watchId: string, nowMs: number): Promise<AccountWatch> {
  const client = getClient();
  const { runId = '' } = activityInfo().workflowExecution ?? {};
  const known = latest.get(client) ?? new Map<string, LatestRead>();
  latest.set(client, known);
  const last = known.get(watchId);
  const isUsable = last !== undefined && Math.abs(nowMs - last.atMs) < SHARED_MS && !last.runs.has(runId);
  const read = isUsable ? last : { atMs: nowMs, watch: readOrUnknown(client, watchId), runs: new Set<string>() };
  known.set(watchId, read);
  read.runs.add(runId);
  return read.watch;
}

const readOrUnknown = (client: Client, watchId: string) => readWatch(client, watchId).catch(() => UNKNOWN);

const UNKNOWN: AccountWatch = { isRunning: true, isFailing: false, view: null };

interface Seen {
  readonly isRunning: boolean;
  /** Null where the watch does not sweep. */
  readonly view: AccountView | null;
  readonly seen: WatchedJob | undefined;
}

/** What the watch shows of the job. A watch that cannot be asked shows nothing. */
async function seenByWatch({ poll }: ActivityContext, { id, watchedBy }: WatchedInput): Promise<Seen> {
  const nowMs = activityInfo().currentAttemptScheduledTimestampMs;
  const { isRunning, isFailing, view } = await latestOf(watchedBy, nowMs);
  if (isFailing) {
    log.warn('The watch of the account cannot run: does the worker have the workflow watchAccount?', { watchedBy });
  }
  const isSweeping = view !== null && view.at * 1_000 >= nowMs - INTERVALS * poll.maxMs;
  if (!isSweeping) return { isRunning, view: null, seen: undefined };
  return { isRunning, view, seen: view.jobs.find((job) => job.id === id) };
}

async function announceAgain(context: ActivityContext, api: ProviderApi, kind: WatchedKind, input: WatchedInput) {
  const { id, status, createdAt, expiresAt } = input;
  const { workflowId } = activityInfo().workflowExecution!;
  await announce(context, api, 'account', { kind, id, status, workflowId, createdAt, expiresAt });
}
