/** Resets and terminations of bulk batches by an operator, on the dev server with the packaged worker. */
import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { findOrphans } from '../../../src/index.js';
import type { BulkBatchRun, StartOptions } from '../../../src/client.js';
import { workerProcessStage } from '../../support/stage.js';
import { expectCancelled, idsOf, jobsOf, readLines } from '../../support/runs.js';
import { waitFor } from '../../../dev/stage/wait-for.js';
import { chatRequests } from '../../support/samples.js';
import { reset, workflowTasks } from '../../support/operators.js';

const REQUESTS = chatRequests(6);
const IDS = idsOf(REQUESTS);
const stage = workerProcessStage();
beforeAll(async () => {
  await stage.startWorker();
});

/** Three parts, two at a time. */
async function start(workflowId = `bulk-${randomUUID()}`, options: StartOptions = {}): Promise<BulkBatchRun> {
  const input = { uri: await stage.write(REQUESTS) };
  return stage.jobs.startBulkBatch({ input, split: { requests: 2 }, maxParallel: 2 }, { ...options, workflowId });
}

test('reset of a finished bulk, to every third of its workflow tasks → the same batches every time, no others', async () => {
  const run = await start();
  await run.result();
  const { runId } = await run.handle.describe();
  const before = (await stage.api.batches()).length;
  const tasks = await workflowTasks(run.handle);
  expect(tasks.length).toBeGreaterThan(5);
  for (const task of tasks.filter((_, index) => index % 3 === 0)) {
    const again = stage.jobs.bulkBatch(run.workflowId, await reset(stage.temporal.client, run.handle, runId, task));
    const result = await again.result();
    expect(result).toMatchObject({ batches: 3, rounds: 1, errors: null });
    expect(idsOf(await readLines(result.output?.uri))).toEqual(IDS);
  }
  expect((await stage.api.batches()).length).toBe(before);
});

test('reset of a running bulk, again and again → its batches are adopted, no others', async () => {
  const before = (await stage.api.batches()).length;
  const run = await start();
  await waitFor(async () => (await stage.api.batches()).length - before === 2, 'two batches');
  const { runId } = await run.handle.describe();
  const tasks = await workflowTasks(run.handle);
  let last = runId;
  for (const task of tasks.slice(-4)) last = await reset(stage.temporal.client, run.handle, runId, task);
  expect(await findOrphans({ temporal: stage.temporal.client, openai: stage.openai, kinds: ['batch'] })).toEqual([]);
  const result = await stage.jobs.bulkBatch(run.workflowId, last).result();
  expect(result).toMatchObject({ batches: 3, rounds: 1, errors: null, warnings: [] });
  expect(idsOf(await readLines(result.output?.uri))).toEqual(IDS);
  expect((await stage.api.batches()).length - before).toBe(3);
});

test('terminated, and started again with the same id → waits for the earlier children, then completes', async () => {
  const first = await start();
  await waitFor(async () => (await first.progress()).parts.running === 2, 'two children');
  await first.handle.terminate('a test');
  const again = await start(first.workflowId, { startAgain: true });
  expect(await again.result()).toMatchObject({ status: 'completed', batches: 3, lines: { succeeded: 6 } });
});

test("Temporal's own cancellation of a running bulk → its batches are cancelled at the provider, too", async () => {
  // Without a cancel they would never end.
  const rule = stage.api.scenarios.forBatches(() => true, { stuckIn: ['in_progress'] });
  const run = await start();
  await waitFor(async () => (await run.progress()).parts.running === 2, 'two parts');
  await run.handle.cancel();
  await expectCancelled(run);
  rule.remove();
  const batches = await Promise.all([1, 2].map((part) => jobsOf(stage.api, `${run.workflowId}/r1-p${part}`)));
  expect(batches.flat().filter(({ status }) => status !== 'cancelled')).toEqual([]);
});
