/** A worker whose workflows lack `tokenBudget`. */
import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import { expect, test } from 'vitest';
import { stageActivities } from '../../../dev/stage/backend.js';
import { startWorker } from '../../../dev/stage/worker.js';
import { LlmJobsClient } from '../../../src/client.js';
import { chatRequests } from '../../support/samples.js';
import { devServerStage } from '../../support/stage.js';

const stage = devServerStage();

test('the user has forgotten to export tokenBudget → told in the progress after a minute', async () => {
  const { client, connection, namespace } = stage.temporal;
  const taskQueue = `${stage.temporal.taskQueue}-own`;
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue,
    activities: stageActivities(stage.backend),
    workflowsPath: fileURLToPath(new URL('./workflows-without-budget.mjs', import.meta.url)),
  });
  const jobs = new LlmJobsClient(client, { taskQueue });
  const input = { uri: await stage.write(chatRequests(3)) };
  const run = await worker.runUntil(async () => {
    const started = await jobs.startBulkBatch({ input });
    await expect
      .poll(async () => (await started.progress()).waitingFor, { timeout: 200_000, interval: 1_000 })
      .toMatch(/^the token budget, which has not answered since .*: check that a worker of task queue .* runs/);
    return started;
  });
  const stop = await startWorker({ connection, namespace, taskQueue }, stageActivities(stage.backend));
  expect(await run.result()).toMatchObject({ status: 'completed', lines: { succeeded: 3 } });
  expect((await run.progress()).waitingFor).toBeNull();
  await stop();
});
