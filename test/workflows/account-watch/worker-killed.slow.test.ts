/** Workers that are killed while runs sleep. Temporal notices a dead worker only after time-outs in real time. */
import { beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../../src/testing/index.js';
import { BATCH_TIMING, HOUR } from '../../../dev/stage/timing.js';
import { waitFor } from '../../../dev/stage/wait-for.js';
import { isWatchRunning, wakersOf, watchedJobs, watchOf } from '../../support/account-watch.js';
import { reset, workflowTasks } from '../../support/operators.js';
import { endpoint, jobsOf } from '../../support/runs.js';
import { chatExamples, chatRequests } from '../../support/samples.js';
import { workerProcessStage } from '../../support/stage.js';

const clock = new ManualClock(Date.now());
const fineTuning = { validatingMs: HOUR, queuedMs: HOUR, runningMs: 2 * HOUR, jitter: 0 };
const stage = workerProcessStage({ clock, batches: BATCH_TIMING, fineTuning });

const startWorker = () =>
  stage.startWorker({ LLM_JOBS_WATCH: 'account', LLM_JOBS_POLL_MIN: '300ms', LLM_JOBS_POLL_MAX: '600ms' });

beforeEach(async () => {
  await waitFor(async () => !(await isWatchRunning(stage)), 'the watch to end');
});

async function startRuns() {
  const startBatch = () => stage.jobs.startBatch({ input: { requests: chatRequests(3) }, endpoint });
  const trainingFile = { uri: await stage.write(chatExamples(10)) };
  // Together, since a job that is announced while the watch sweeps may have to wait a minute for its turn.
  const [tuning, ...batches] = await Promise.all([
    stage.jobs.startFineTuning({ model: 'gpt-4o-mini-2024-07-18', trainingFile }),
    startBatch(),
    startBatch(),
    startBatch(),
  ]);
  await waitFor(async () => (await watchedJobs(stage)).length === 4, 'the watch to see the jobs');
  return { batches, tuning };
}

/** Resets the watch to its first workflow task, without the signals by which jobs were announced. */
async function forgetAnnouncements(): Promise<void> {
  const watch = watchOf(stage);
  const { runId } = await watch.describe();
  const [first = 0] = await workflowTasks(watch);
  await reset(stage.temporal.client, watch, runId, first, { signals: 'dropped' });
}

test.each([
  ['the worker is killed', async () => undefined],
  ['the worker is killed and the watch reset without its signals', forgetAnnouncements],
])('%s while runs sleep → the next worker wakes them, each ends right with one job', async (_, andThen) => {
  const first = await startWorker();
  const { batches, tuning } = await startRuns();
  await first.stop('SIGKILL');
  await andThen();
  clock.advance(5 * HOUR);

  const second = await startWorker();
  for (const run of batches) {
    expect(await run.result()).toMatchObject({ status: 'completed', lines: { succeeded: 3 } });
  }
  expect((await tuning.result()).status).toBe('succeeded');
  for (const { handle, workflowId } of [...batches, tuning]) {
    expect(await wakersOf(handle)).not.toEqual([]);
    expect(await jobsOf(stage.api, workflowId)).toHaveLength(1);
  }
  expect(stage.calls('batches.create')).toHaveLength(3);
  expect(stage.calls('fineTuning.create')).toHaveLength(1);
  await waitFor(async () => !(await isWatchRunning(stage)), 'the watch to end');
  await second.stop('SIGTERM');
});
