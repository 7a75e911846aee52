/** An operator resets the watch of an account to its first workflow task, as if it had only just been started. */
import { beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../../src/testing/index.js';
import { BATCH_TIMING, HOUR } from '../../../dev/stage/timing.js';
import { waitFor } from '../../../dev/stage/wait-for.js';
import { isWatchRunning, wakersOf, watchedJobs, watchOf } from '../../support/account-watch.js';
import { reset, workflowTasks } from '../../support/operators.js';
import { endpoint, jobsOf } from '../../support/runs.js';
import { chatRequests } from '../../support/samples.js';
import { devServerStage } from '../../support/stage.js';

const clock = new ManualClock(Date.now());
const stage = devServerStage({ watch: { mode: 'account' }, api: { clock, batches: BATCH_TIMING } });

beforeEach(async () => {
  await waitFor(async () => !(await isWatchRunning(stage)), 'the watch to end');
});

const start = () => stage.jobs.startBatch({ input: { requests: chatRequests(3) }, endpoint });

/** @returns the id of the new run */
async function resetWatch(): Promise<string> {
  const watch = watchOf(stage);
  const [first = 0] = await workflowTasks(watch);
  const { runId } = await watch.describe();
  return reset(stage.temporal.client, watch, runId, first);
}

test('reset while runs sleep, and again → each is woken and ends right, with one batch, and the watch ends', async () => {
  const runs = await Promise.all([start(), start(), start()]);
  await waitFor(async () => (await watchedJobs(stage)).length === 3, 'the watch to see the jobs');
  await resetWatch();
  await waitFor(async () => (await watchedJobs(stage)).length === 3, 'the watch to see them again');
  const newest = await resetWatch();
  clock.advance(5 * HOUR);
  for (const run of runs) {
    expect(await run.result()).toMatchObject({ status: 'completed', lines: { succeeded: 3 } });
    expect(await wakersOf(run.handle)).not.toEqual([]);
    expect(await jobsOf(stage.api, run.workflowId)).toHaveLength(1);
  }
  await waitFor(async () => !(await isWatchRunning(stage)), 'the watch to end');
  const { runId, status } = await watchOf(stage).describe();
  expect({ runId, status: status.name }).toEqual({ runId: newest, status: 'COMPLETED' });
});

test('reset after its end → it finds that no job is open and ends again, and nothing else happens', async () => {
  const run = await start();
  await waitFor(async () => (await watchedJobs(stage)).length === 1, 'the watch to see the job');
  clock.advance(5 * HOUR);
  await run.result();
  await waitFor(async () => !(await isWatchRunning(stage)), 'the watch to end');
  const newest = await resetWatch();
  await waitFor(async () => !(await isWatchRunning(stage)), 'the watch to end again');
  const { runId, status } = await watchOf(stage).describe();
  expect({ runId, status: status.name }).toEqual({ runId: newest, status: 'COMPLETED' });
  expect(stage.calls('batches.create')).toHaveLength(1);
  expect(stage.calls('batches.cancel')).toEqual([]);
});
