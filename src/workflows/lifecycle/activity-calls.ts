/** How the lifecycles call activities: with which time-outs, retried how, cancelled how. */
import { ActivityCancellationType, proxyActivities, type ActivityFunctionWithOptions } from '@temporalio/workflow';
import type { Activities } from '../../contract/activities/index.js';

/** Every activity heartbeats: a worker that dies in the middle is noticed after this long (see docs/decisions/0006). */
const heartbeatTimeout = '15s';

/** Passing errors are retried for as long as the job can live: no limit of attempts or time. `retry-after` goes first. */
const retry = { initialInterval: '2s', backoffCoefficient: 2, maximumInterval: '2m' } as const;

/** One request at the provider. In back-off or in flight, a cancelled one is left at once (it only reads, or is asked again). */
export const shortActivities = proxyActivities<Activities>({
  startToCloseTimeout: '5m',
  heartbeatTimeout,
  retry,
  cancellationType: ActivityCancellationType.TRY_CANCEL,
});

/** Creates: never left while the outcome is open. The activity heartbeats, and answers a cancel when its request is through. */
export const createJobActivities = proxyActivities<Activities>({
  startToCloseTimeout: '15m',
  heartbeatTimeout,
  retry,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
});

/**
 * Files on their way: as long as it takes, but a dead worker is noticed within the heartbeat time-out. A cancelled one stops at
 * its next chunk, and the run waits for that: nothing of a run goes on after it has ended.
 */
export const transferActivities = proxyActivities<Activities>({
  startToCloseTimeout: '12h',
  heartbeatTimeout,
  retry,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
});

/** Calls an activity with the summary that the UI shows beside it. */
export function runActivity<Args extends unknown[], Result>(
  activity: ActivityFunctionWithOptions<(...args: Args) => Promise<Result>>,
  summary: string,
  ...args: Args
): Promise<Result> {
  return activity.executeWithOptions({ summary: summary.slice(0, 200) }, args);
}
