/** An operator pauses the watch of an account, the whole workflow or only its activity, and later unpauses it. */
import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../../src/testing/index.js';
import { BATCH_TIMING, HOUR } from '../../../dev/stage/timing.js';
import { waitFor } from '../../../dev/stage/wait-for.js';
import { isWatchRunning, wakersOf, watchedJobs } from '../../support/account-watch.js';
import { PAUSES, type Pause } from '../../support/pauses.js';
import { endpoint, jobsOf } from '../../support/runs.js';
import { chatRequests } from '../../support/samples.js';
import { devServerStage } from '../../support/stage.js';
import { devServerThatPauses } from '../../support/temporal.js';

describe('the watch is paused and unpaused', () => {
  const clock = new ManualClock(Date.now());
  const stage = devServerStage(
    { watch: { mode: 'account' }, api: { clock, batches: BATCH_TIMING } },
    devServerThatPauses(),
  );
  const start = () => stage.jobs.startBatch({ input: { requests: chatRequests(3) }, endpoint });
  const haveEnded = async () => (await stage.api.batches()).every(({ status }) => status === 'completed');

  test.each<[string, Pause]>(Object.entries(PAUSES))(
    '%s is paused while jobs end → no run is woken before it is unpaused, and each ends right',
    async (_, pause) => {
      const early = await Promise.all([start(), start()]);
      await waitFor(async () => (await watchedJobs(stage)).length === 2, 'the watch to see both jobs');
      const unpause = await pause(stage);
      const late = await start();
      await waitFor(async () => (await jobsOf(stage.api, late.workflowId)).length === 1, 'the third job');
      clock.advance(5 * HOUR);
      await waitFor(haveEnded, 'the jobs to end');
      const runs = [...early, late];
      for (const { handle } of runs) expect(await wakersOf(handle)).toEqual([]);

      await unpause();
      const results = await Promise.all(runs.map((run) => run.result()));
      expect(results.map(({ status, lines }) => [status, lines.succeeded])).toEqual(runs.map(() => ['completed', 3]));
      for (const { handle } of runs) expect(await wakersOf(handle)).not.toEqual([]);
      expect(stage.calls('batches.create')).toHaveLength(3);
      await waitFor(async () => !(await isWatchRunning(stage)), 'the watch to end');
    },
  );
});
