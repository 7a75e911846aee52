import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledFailure, WorkflowFailedError } from '@temporalio/client';
import { beforeAll, describe, expect, test } from 'vitest';
import type { BatchRun } from '../../src/client.js';
import { chatRequests } from '../support/samples.js';
import { ENDS, endpoint, endToEnd, until } from '../support/end-to-end.js';

describe('native cancellation soon after the start', () => {
  const e = endToEnd();
  beforeAll(async () => {
    await e.startWorker({ LLM_JOBS_POLL_MIN: '3s', LLM_JOBS_POLL_MAX: '3s' });
  });

  const start = () => e.jobs.startBatch({ input: { requests: chatRequests(3) }, endpoint });
  const unfinished = async () => (await e.api.batches()).filter(({ status }) => !ENDS.includes(status));

  test('at any moment before the first poll → Cancelled, and no batch stays unfinished at the provider', async () => {
    await Promise.all(
      [0, 20, 50, 100, 150, 200, 300, 500].map(async (ms) => {
        const run = await start();
        await sleep(ms);
        await mustEndCancelled(run);
      }),
    );
    expect(await unfinished()).toEqual([]);
  });

  test('while the create is under way → the batch that comes of it is cancelled, too', async () => {
    const fault = e.api.faults.add({ on: 'batches.create', effect: { kind: 'delay', ms: 800 } });
    const run = await start();
    await until(() => fault.hits === 1, 'the create');
    await mustEndCancelled(run);
    const [batch] = await e.api.batches();
    expect(batch?.status).toBe('cancelled');
    expect(await unfinished()).toEqual([]);
  });

  test('while the answer of the create is lost → the batch is found and cancelled', async () => {
    const before = (await e.api.batches()).length;
    const fault = e.api.faults.add({ on: 'batches.create', effect: 'lostAnswer' });
    const run = await start();
    await until(() => fault.hits === 1, 'the create');
    await mustEndCancelled(run);
    expect((await e.api.batches()).length).toBe(before + 1);
    expect(await unfinished()).toEqual([]);
  });
});

async function mustEndCancelled(run: BatchRun): Promise<void> {
  await run.handle.cancel();
  const error = await run.result().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(WorkflowFailedError);
  expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
}
