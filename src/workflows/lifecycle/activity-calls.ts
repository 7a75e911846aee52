/** How the workflows call activities: their time-outs, retries and the way they are cancelled. */
import { ActivityCancellationType, proxyActivities, type ActivityFunctionWithOptions } from '@temporalio/workflow';
import type { Activities } from '../../contract/activities/index.js';
import { inPlainSummary } from '../../contract/text.js';

/** Every activity heartbeats, so a dead worker is noticed after this long (see docs/decisions/0006). */
const heartbeatTimeout = '15s';

/**
 * Transient errors are retried for as long as the job can live: there is no limit of attempts or time. A `retry-after`
 * of the provider takes precedence over these intervals.
 */
const retry = { initialInterval: '2s', backoffCoefficient: 2, maximumInterval: '2m' } as const;

/**
 * Of a backlog, the server hands out the lowest numbers first; 3 is that of all other activities. A sweep spares a look
 * of each job, and somebody waits for an answer; a look may wait until what has been seen is carried out.
 */
const PRIORITY = { sweep: { priorityKey: 1 }, prompt: { priorityKey: 2 }, look: { priorityKey: 4 } } as const;

/**
 * Activities of a few requests at the provider. When cancelled, they are abandoned immediately, in back-off or in
 * flight: they only read, or what they ask for is asked again.
 */
export const shortActivities = proxyActivities<Activities>({
  startToCloseTimeout: '5m',
  heartbeatTimeout,
  retry,
  cancellationType: ActivityCancellationType.TRY_CANCEL,
});

/**
 * Activities that a person waits for. They fail when the provider has not answered soon, and when cancelled, they are
 * abandoned immediately.
 */
export const promptActivities = proxyActivities<Activities>({
  startToCloseTimeout: '1m',
  scheduleToCloseTimeout: '2m',
  priority: PRIORITY.prompt,
  heartbeatTimeout,
  retry: { ...retry, maximumAttempts: 5 },
  cancellationType: ActivityCancellationType.TRY_CANCEL,
});

/** By which a job is looked at: patiently, or promptly where a person waits. */
export type WatchingActivities = typeof watchActivities;

/**
 * Activities whose attempts are polls. Their failures say when the next attempt is due, so this is only for attempts
 * that never ended, as when a worker was killed: the interval must not grow with the number of polls before.
 */
const pollRetry = { ...retry, maximumInterval: '10s' } as const;

/** Activities that look at a job until there is something new. When cancelled, they are abandoned immediately. */
export const watchActivities = proxyActivities<Activities>({
  startToCloseTimeout: '5m',
  priority: PRIORITY.look,
  heartbeatTimeout,
  retry: pollRetry,
  cancellationType: ActivityCancellationType.TRY_CANCEL,
});

/**
 * Activities that create a job. They are never abandoned while the outcome is unknown: when cancelled, they finish the
 * request under way first.
 */
export const createJobActivities = proxyActivities<Activities>({
  startToCloseTimeout: '15m',
  heartbeatTimeout,
  retry,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
});

/**
 * Activities that transfer files, which may take hours. When cancelled, they stop at the next chunk, and the run waits
 * for that, so that no work continues after the run has ended.
 */
export const transferActivities = proxyActivities<Activities>({
  startToCloseTimeout: '12h',
  heartbeatTimeout,
  retry,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
});

/** The sweeps of an account's watch. A long list takes a while, and the next attempt goes on with what was learnt. */
export const sweepActivities = proxyActivities<Activities>({
  startToCloseTimeout: '15m',
  priority: PRIORITY.sweep,
  heartbeatTimeout,
  retry: pollRetry,
  cancellationType: ActivityCancellationType.TRY_CANCEL,
});

/**
 * Activities that make one quick, repeatable call to Temporal and finish even when cancelled. Local activities would
 * need fewer events, but are not safe here: when a workflow task times out while they run, the SDK carries on with
 * their results, and a later replay schedules commands in a different order (see docs/decisions/0011).
 */
export const temporalActivities = proxyActivities<Activities>({
  startToCloseTimeout: '1m',
  heartbeatTimeout,
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '1m' },
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
});

/** Calls an activity with a summary in plain text, which the Temporal UI shows beside its type. */
export function runActivity<Args extends unknown[], Result>(
  activity: ActivityFunctionWithOptions<(...args: Args) => Promise<Result>>,
  summary: string,
  ...args: Args
): Promise<Result> {
  return activity.executeWithOptions({ summary: inPlainSummary(summary) }, args);
}
