/** A bulk batch that ends without its parts: nobody is left to take their results. */
import { expect, test } from 'vitest';
import { waitFor } from '../../../dev/stage/wait-for.js';
import { reset, workflowTasks } from '../../support/operators.js';
import { chatRequests } from '../../support/samples.js';
import { devServerStage } from '../../support/stage.js';

const stage = devServerStage();
const LASTING = { timing: { inProgressMs: 45_000, jitter: 0 } };

async function start() {
  const input = { uri: await stage.write(chatRequests(4)) };
  return stage.jobs.startBulkBatch({ input, split: { requests: 2 } });
}

const statuses = async () => (await stage.api.batches()).slice(0, 2).map(({ status }) => status);

test('terminated → the budget cancels its parts, and their batches with them', async () => {
  stage.api.scenarios.forBatches(() => true, LASTING);
  const run = await start();
  await waitFor(
    async () => (await statuses()).filter((status) => status === 'in_progress').length === 2,
    'two batches',
  );
  await run.handle.terminate();
  await waitFor(async () => (await statuses()).every((status) => status === 'cancelled'), 'the end of both');
  const part = stage.temporal.client.workflow.getHandle(`${run.workflowId}/r1-p1`);
  expect(await part.result()).toMatchObject({
    status: 'cancelled',
    cancellation: { by: 'signal', reason: 'its bulk batch has ended' },
  });
});

test('reset → its parts go on, however often the budget looks', async () => {
  const run = await start();
  await waitFor(
    async () => (await statuses()).filter((status) => status === 'in_progress').length === 2,
    'two batches',
  );
  const { runId } = await run.handle.describe();
  const tasks = await workflowTasks(run.handle);
  const again = await reset(stage.temporal.client, run.handle, runId, tasks.at(-1) ?? 0);
  const result = await stage.jobs.bulkBatch(run.workflowId, again).result();
  expect(result).toMatchObject({ status: 'completed', batches: 2, rounds: 1, lines: { succeeded: 4 } });
  stage.api.scenarios.clear();
});
