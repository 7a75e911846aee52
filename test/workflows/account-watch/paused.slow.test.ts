/** The watch of an account stays paused. Its sleeping runs notice that in real time: after two minutes at first. */
import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../../src/testing/index.js';
import { BATCH_TIMING, HOUR, MINUTE } from '../../../dev/stage/timing.js';
import { waitFor } from '../../../dev/stage/wait-for.js';
import { wakersOf, watchedJobs } from '../../support/account-watch.js';
import { PAUSES } from '../../support/pauses.js';
import { endpoint } from '../../support/runs.js';
import { chatRequests } from '../../support/samples.js';
import { devServerStage } from '../../support/stage.js';
import { devServerThatPauses } from '../../support/temporal.js';

describe.concurrent.each(Object.entries(PAUSES))('%s of the watch is paused for good', (_, pause) => {
  const clock = new ManualClock(Date.now());
  const stage = devServerStage(
    { watch: { mode: 'account', net: '2s' }, api: { clock, batches: BATCH_TIMING } },
    devServerThatPauses(),
  );

  test('one run has not looked at the watch yet, another has → both end right, unwoken, by their own net', async () => {
    const start = () => stage.jobs.startBatch({ input: { requests: chatRequests(3) }, endpoint });
    const older = await start();
    const looks = async () => (await older.handle.describe()).raw.pendingActivities?.[0]?.attempt ?? 0;
    await waitFor(async () => (await looks()) >= 3, 'the run to have looked at the watch', 5 * MINUTE);
    const younger = await start();
    await waitFor(
      async () => (await watchedJobs(stage)).some(({ workflowId }) => workflowId === younger.workflowId),
      'the watch to see the job',
    );
    await pause(stage);
    clock.advance(5 * HOUR);
    for (const run of [older, younger]) {
      expect(await run.result()).toMatchObject({ status: 'completed', lines: { succeeded: 3 } });
      expect(await wakersOf(run.handle)).toEqual([]);
    }
    expect(stage.calls('batches.create')).toHaveLength(2);
  });
});
