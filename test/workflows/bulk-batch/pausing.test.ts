/** A bulk batch is paused and resumed by updates: meanwhile no batch is created, and those that exist go on. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { waitFor } from '../../../dev/stage/wait-for.js';
import { chatRequests } from '../../support/samples.js';
import { devServerStage } from '../../support/stage.js';
import { devServerOfShortHistories } from '../../support/temporal.js';

const stage = devServerStage({}, devServerOfShortHistories(50));
const batches = async () => (await stage.api.batches()).length;
const LONG = { timing: { inProgressMs: 4_000, jitter: 0 } };

async function start(spec: object, requests = 12) {
  const input = { uri: await stage.write(chatRequests(requests)) };
  return stage.jobs.startBulkBatch({ input, split: { requests: 2 }, ...spec });
}

test('two of six parts run → those end, no other batch is created until resume, then all are answered', async () => {
  stage.api.scenarios.forBatches(() => true, LONG);
  const before = await batches();
  const run = await start({ maxParallel: 2 });
  await waitFor(async () => (await batches()) - before === 2, 'two batches');
  expect(await run.pause()).toBe('paused');
  expect(await run.pause()).toBe('paused');
  await waitFor(async () => (await run.progress()).parts.done === 2, 'the end of the two');
  await sleep(2_000);
  expect(await run.progress()).toMatchObject({ isPaused: true, parts: { running: 0, waiting: 4, done: 2 } });
  expect((await batches()) - before).toBe(2);
  stage.api.scenarios.clear();
  expect(await run.resume()).toBe('running');
  expect(await run.result()).toMatchObject({ status: 'completed', batches: 6, lines: { succeeded: 12 } });
});

test('parts that wait for capacity → wait for resume too', async () => {
  stage.api.scenarios.forBatches(() => true, LONG);
  const before = await batches();
  // Two requests together have more tokens than that: one batch at a time.
  const run = await start({ maxParallel: 4, enqueuedTokens: 80 }, 4);
  await waitFor(async () => (await run.progress()).parts.running === 4, 'all runs');
  await waitFor(async () => (await batches()) - before === 1, 'the first batch');
  await run.pause();
  await waitFor(async () => (await run.progress()).parts.done === 1, 'the end of the first');
  await sleep(2_000);
  expect((await batches()) - before).toBe(1);
  stage.api.scenarios.clear();
  await run.resume();
  expect(await run.result()).toMatchObject({ batches: 4, lines: { succeeded: 4 } });
});

test('a cancel while it is paused → ends with what there is; afterwards it cannot be resumed', async () => {
  const run = await start({ maxParallel: 1 });
  await run.pause();
  await run.cancel();
  expect((await run.result()).status).toBe('cancelled');
  await expect(run.resume()).rejects.toThrow('already completed');
});
