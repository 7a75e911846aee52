/** A token budget that nobody runs: told in the progress, replaced when it stays silent, and never pinned to the dead. */
import { NativeConnection, Worker } from '@temporalio/worker';
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, test } from 'vitest';
import type { BudgetSighting } from '../../../src/contract/activities/token-budget.js';
import { stageActivities } from '../../../dev/stage/backend.js';
import { MINUTE } from '../../../dev/stage/timing.js';
import { WORKFLOW_BUNDLE } from '../../../dev/stage/worker.js';
import { LlmJobsClient } from '../../../src/client.js';
import {
  budgetQuery,
  capacityRefusedSignal,
  releaseCapacitySignal,
  requestCapacitySignal,
} from '../../../src/workflows/messages.js';
import { chatRequests } from '../../support/samples.js';
import { devServerStage } from '../../support/stage.js';
import { budgetWorkflowId } from '../../../src/contract/token-budget.js';

const stage = devServerStage();

test.each([
  ['five minutes', 5, false],
  ['eleven minutes', 11, true],
])('nobody runs a budget, and it was silent for %s → replaced: %s', async (_, minutes, isReplaced) => {
  const { client } = stage.temporal;
  const taskQueue = `${stage.temporal.taskQueue}-${minutes}`;
  const workflowId = budgetWorkflowId(taskQueue, 'default');
  const budget = await client.workflow.start('tokenBudget', { taskQueue, workflowId });
  const activities = stageActivities(stage.backend);
  await budget.signal(releaseCapacitySignal.name, 'a lease');
  // The server's clock counts: as if so much time had passed since the task that nobody takes.
  const now = Date.now() + minutes * MINUTE;
  const info = { taskQueue, attempt: 2, currentAttemptScheduledTimestampMs: now };
  const env = new MockActivityEnvironment(info, { client });
  const request = { lease: 'a', holder: 'nobody', model: 'm', tokens: 1, limit: null };
  const input = { provider: 'default', request, isRequested: true, tells: true, isSilent: false };
  const { silentSince } = await env.run<[], BudgetSighting, () => Promise<BudgetSighting>>(() =>
    activities.awaitCapacity(input),
  );
  expect(now - (silentSince ?? now)).toBeGreaterThanOrEqual((minutes - 1) * MINUTE);
  const { runId } = await budget.describe();
  const handle = client.workflow.getHandle(workflowId, budget.firstExecutionRunId);
  expect((await handle.describe()).status.name).toBe(isReplaced ? 'TERMINATED' : 'RUNNING');
  expect(runId === budget.firstExecutionRunId).toBe(!isReplaced);
  await client.workflow.getHandle(workflowId).terminate();
});

test('signals with any argument or none → the budget goes on, and a bulk batch completes', async () => {
  const { client, taskQueue } = stage.temporal;
  const budget = await client.workflow.start('tokenBudget', {
    taskQueue,
    workflowId: budgetWorkflowId(taskQueue, 'default'),
  });
  for (const name of [requestCapacitySignal.name, capacityRefusedSignal.name, releaseCapacitySignal.name]) {
    for (const args of [
      [],
      [null],
      ['text'],
      [{ lease: 'a', holder: 'b', model: 'm', tokens: 'many' }],
      [{ lease: 1 }],
    ]) {
      await budget.signal(name, ...args);
    }
  }
  const run = await stage.jobs.startBulkBatch({ input: { uri: await stage.write(chatRequests(3)) } });
  expect(await run.result()).toMatchObject({ status: 'completed', lines: { succeeded: 3 } });
  expect(await budget.query(budgetQuery.name)).toMatchObject({ leases: [], queue: [], limits: [] });
});

test('versioned workers, pinned by default: the deployment that started the budget is gone → the next one answers its bulk batches', async () => {
  const { address, namespace, client } = stage.temporal;
  const taskQueue = `${stage.temporal.taskQueue}-versioned`;
  const deploymentName = taskQueue;
  const jobs = new LlmJobsClient(client, { taskQueue });
  const input = { uri: await stage.write(chatRequests(4)) };
  for (const buildId of ['1.0', '2.0']) {
    const connection = await NativeConnection.connect({ address });
    const worker = await Worker.create({
      connection,
      namespace,
      taskQueue,
      activities: stageActivities(stage.backend, { poll: { min: '50ms', max: '200ms' } }),
      workflowBundle: { codePath: WORKFLOW_BUNDLE },
      workerDeploymentOptions: {
        version: { deploymentName, buildId },
        useWorkerVersioning: true,
        defaultVersioningBehavior: 'PINNED',
      },
    });
    await worker.runUntil(async () => {
      const current = { namespace, deploymentName, buildId };
      const { workflowService } = client.connection as unknown as { workflowService: Record<string, Function> };
      await expect
        .poll(
          () =>
            workflowService.setWorkerDeploymentCurrentVersion!(current).then(
              () => true,
              () => false,
            ),
          { timeout: 60_000 },
        )
        .toBe(true);
      const run = await jobs.startBulkBatch({ input });
      expect(await run.result()).toMatchObject({ lines: { succeeded: 4 } });
    });
    await connection.close();
  }
});
