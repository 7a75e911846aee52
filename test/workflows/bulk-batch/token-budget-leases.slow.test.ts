/** What is enqueued stays known, and comes back: holders that are terminated, budgets that are cancelled or terminated. */
import { expect, test } from 'vitest';
import { waitFor } from '../../../dev/stage/wait-for.js';
import { budgetOf, budgetState } from '../../support/budget.js';
import { chatRequests } from '../../support/samples.js';
import { devServerStage } from '../../support/stage.js';

const stage = devServerStage();

const budget = () => budgetOf(stage.temporal);
const state = () => budgetState(stage.temporal);

/** Parts of one request. The limit has room for one or two of them. */
async function start(requests: number, maxParallel = 10) {
  const input = { uri: await stage.write(chatRequests(requests)) };
  return stage.jobs.startBulkBatch({ input, split: { requests: 1 }, maxParallel, enqueuedTokens: 90 });
}

test('a bulk is terminated while it holds all the room → the room comes back within a minute', async () => {
  stage.api.scenarios.forBatches(() => true, { timing: { inProgressMs: 3_600_000, jitter: 0 } });
  const first = await start(6);
  await waitFor(async () => (await state()).leases.length > 0 && (await state()).queue.length > 0, 'a full budget');
  stage.api.scenarios.clear();
  const second = await start(3);
  await waitFor(async () => (await state()).queue.some(({ group }) => group === second.workflowId), 'a waiting bulk');
  const terminatedAt = Date.now();
  await first.handle.terminate('a test');
  await waitFor(async () => (await state()).leases.every(({ group }) => group !== first.workflowId), 'room');
  // Half a minute more, for a busy machine.
  expect(Date.now() - terminatedAt).toBeLessThan(90_000);
  expect(await second.result()).toMatchObject({ lines: { succeeded: 3 } });
  await waitFor(async () => {
    const { leases, queue } = await state();
    return leases.length + queue.length === 0;
  }, 'an empty budget');
});

test('tokenBudget is cancelled → it keeps its leases, grants to the end, and then is cancelled', async () => {
  stage.api.scenarios.forBatches(() => true, { timing: { inProgressMs: 15_000, jitter: 0 } });
  const run = await start(5);
  await waitFor(async () => (await state()).leases.length > 0 && (await state()).queue.length > 0, 'a full budget');
  const { runId } = await budget().describe();
  const { leases } = await state();
  await budget().cancel();
  await waitFor(async () => (await state()).isEnding, 'the cancel');
  expect((await state()).leases).toEqual(leases);
  stage.api.scenarios.clear();
  expect(await run.result()).toMatchObject({ lines: { succeeded: 5 } });
  const cancelled = stage.temporal.client.workflow.getHandle(budget().workflowId, runId);
  await waitFor(async () => (await cancelled.describe()).status.name === 'CANCELLED', 'the end of the budget');
});

test('tokenBudget is terminated → a new one learns from the holder what it holds', async () => {
  for (const inProgressMs of [10_000, 40_000]) {
    stage.api.scenarios.forNextBatch({ timing: { inProgressMs, jitter: 0 } });
  }
  const input = { uri: await stage.write(chatRequests(4)) };
  const run = await stage.jobs.startBulkBatch({ input, split: { requests: 1 }, maxParallel: 2 });
  await waitFor(
    async () => (await stage.api.batches()).filter(({ status }) => status === 'in_progress').length === 2,
    'two',
  );
  const { leases } = await state();
  const { runId } = await budget().describe();
  await budget().terminate('a test');
  const isKnown = ({ lease }: { lease: string }) => leases.some((before) => before.lease === lease);
  await waitFor(async () => {
    const isNew = (await budget().describe()).runId !== runId;
    return isNew && (await state()).leases.some(isKnown);
  }, 'a new budget that knows a lease of the terminated one');
  expect(await run.result()).toMatchObject({ lines: { succeeded: 4 } });
  expect(await state()).toMatchObject({ leases: [], queue: [] });
});

test('runBatch that starts by itself → its batch is counted until its run has ended, and those of bulk parts only once', async () => {
  expect(await (await start(3)).result()).toMatchObject({ lines: { succeeded: 3 } });
  expect((await state()).leases).toEqual([]);
  stage.api.scenarios.forNextBatch({ timing: { inProgressMs: 5_000, jitter: 0 } });
  const run = await stage.jobs.startBatch({ input: { requests: chatRequests(2) }, endpoint: '/v1/chat/completions' });
  await waitFor(async () => (await state()).leases.length > 0, 'the count');
  const [lease] = (await state()).leases;
  expect(lease).toMatchObject({ holder: run.workflowId, isCounted: true, requests: 2 });
  expect(lease?.tokens).toBeGreaterThan(10);
  await run.result();
  await waitFor(async () => (await state()).leases.length === 0, 'the end of the count');
});
