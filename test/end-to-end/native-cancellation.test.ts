import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import type { BatchRun } from '../../src/client.js';
import { chatRequests } from '../support/samples.js';
import { workerProcessStage } from '../support/stage.js';
import { expectCancelled, endpoint, TERMINAL_STATUSES } from '../support/runs.js';
import { waitFor } from '../../dev/stage/wait-for.js';

describe('native cancellation soon after the start', () => {
  const stage = workerProcessStage();
  beforeAll(async () => {
    await stage.startWorker({ LLM_JOBS_POLL_MIN: '3s', LLM_JOBS_POLL_MAX: '3s' });
  });

  const start = () => stage.jobs.startBatch({ input: { requests: chatRequests(3) }, endpoint });
  const unfinished = async () =>
    (await stage.api.batches()).filter(({ status }) => !TERMINAL_STATUSES.includes(status));

  test('at any moment before the first poll → Cancelled, and no batch stays unfinished at the provider', async () => {
    // However late a cancel arrives, the batch has not completed.
    const rule = stage.api.scenarios.forBatches(() => true, { stuckIn: ['in_progress'] });
    await Promise.all(
      [0, 20, 50, 100, 150, 200, 300, 500].map(async (ms) => {
        const run = await start();
        await sleep(ms);
        await cancelNatively(run);
      }),
    );
    rule.remove();
    expect(await unfinished()).toEqual([]);
  });

  test('while the create is under way → the batch that comes of it is cancelled, too', async () => {
    const fault = stage.api.faults.add({ on: 'batches.create', effect: { kind: 'delay', ms: 800 } });
    const run = await start();
    await waitFor(() => fault.hits === 1, 'the create');
    await cancelNatively(run);
    const [batch] = await stage.api.batches();
    expect(batch?.status).toBe('cancelled');
    expect(await unfinished()).toEqual([]);
  });

  test('while the answer of the create is lost → the batch is found and cancelled', async () => {
    const before = (await stage.api.batches()).length;
    const fault = stage.api.faults.add({ on: 'batches.create', effect: 'lostAnswer' });
    const run = await start();
    await waitFor(() => fault.hits === 1, 'the create');
    await cancelNatively(run);
    expect((await stage.api.batches()).length).toBe(before + 1);
    expect(await unfinished()).toEqual([]);
  });
});

async function cancelNatively(run: BatchRun): Promise<void> {
  await run.handle.cancel();
  await expectCancelled(run);
}
