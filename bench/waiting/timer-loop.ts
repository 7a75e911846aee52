/**
 * The loop of a timer and an activity, as the "periodic sequence" of Temporal's samples polls, with its continue-as-new:
 * https://github.com/temporalio/samples-python/tree/main/polling/periodic_sequence
 */
import { continueAsNew, proxyActivities, sleep } from '@temporalio/workflow';
import type { TimerLoopActivities } from './timer-loop-activities.js';

/** Some 11,000 events. The sample continues as new after ten looks, which costs more events and actions. */
const LOOKS_A_RUN = 1_000;

const activities = proxyActivities<TimerLoopActivities>({ startToCloseTimeout: '1m' });

export interface TimerLoopInput {
  readonly intervalMs: number;
  /** The batch of an earlier run that this one continues. */
  readonly batchId?: string;
}

export async function timerLoop({ intervalMs, batchId }: TimerLoopInput): Promise<{ batchId: string }> {
  const id = batchId ?? (await activities.createBatch());
  for (let looks = 0; !(await activities.hasEnded(id)); looks += 1) {
    if (looks === LOOKS_A_RUN) await continueAsNew<typeof timerLoop>({ intervalMs, batchId: id });
    await sleep(intervalMs);
  }
  await activities.collect(id);
  return { batchId: id };
}
