/** A sweep that fails after many others is tried again soon: polls that found nothing new must not count as failures. */
import { expect, test } from 'vitest';
import { ManualClock } from '../../../src/testing/index.js';
import { BATCH_TIMING, HOUR } from '../../../dev/stage/timing.js';
import { waitFor } from '../../../dev/stage/wait-for.js';
import { watchedJobs, watchOf } from '../../support/account-watch.js';
import { endpoint } from '../../support/runs.js';
import { chatRequests } from '../../support/samples.js';
import { workerProcessStage } from '../../support/stage.js';

/** After so many attempts Temporal's own delay would be its longest, two minutes. */
const MANY = 9;
const LOOKS = ['batches.list', 'batches.retrieve'] as const;

const clock = new ManualClock(Date.now());
const stage = workerProcessStage({ clock, batches: BATCH_TIMING });

async function sweep() {
  const { raw } = await watchOf(stage).describe();
  const {
    attempt = 0,
    lastFailure,
    nextAttemptScheduleTime,
    scheduledTime,
    lastAttemptCompleteTime: end,
  } = raw.pendingActivities?.[0] ?? {};
  // Once the delay is over, the attempt waits for a worker and only its own time is told.
  const due = nextAttemptScheduleTime ?? scheduledTime;
  const type = lastFailure?.applicationFailureInfo?.type;
  const delaySeconds = due && end ? Number(due.seconds) - Number(end.seconds) : null;
  return { attempt: Number(attempt), type, delaySeconds };
}

/** Waits until the last sweep failed so and the next one is due at a known time. */
async function delayAfter(type: string): Promise<number | null> {
  let last = await sweep();
  const hasFailedSo = async () => {
    last = await sweep();
    return last.type === type && last.delaySeconds !== null;
  };
  await waitFor(hasFailedSo, `a sweep that fails as ${type}`);
  return last.delaySeconds;
}

test('the provider refuses, or the worker stops, after many sweeps → the next sweep comes within seconds', async () => {
  const worker = await stage.startWorker({ LLM_JOBS_SHUTDOWN_GRACE: '300ms' });
  const run = await stage.jobs.startBatch({ input: { requests: chatRequests(3) }, endpoint });
  await waitFor(async () => (await watchedJobs(stage)).length === 1, 'the watch to see the job');
  await waitFor(async () => (await sweep()).attempt >= MANY, 'many sweeps');

  const refusal = stage.api.faults.add({
    on: LOOKS,
    times: 100,
    effect: { kind: 'status', status: 503, shouldRetry: false },
  });
  expect(await delayAfter('ApiUnavailable')).toBeLessThan(10);
  refusal.remove();

  const silence = stage.api.faults.add({ on: LOOKS, times: 100, effect: 'timeout' });
  await waitFor(() => silence.hits > 0, 'a sweep that gets no answer');
  expect(await worker.stop('SIGTERM')).toBe(0);
  expect(await delayAfter('WorkerStopped')).toBeLessThan(10);
  silence.remove();

  const next = await stage.startWorker();
  clock.advance(5 * HOUR);
  expect((await run.result()).status).toBe('completed');
  expect(stage.calls('batches.create')).toHaveLength(1);
  await next.stop('SIGTERM');
});
