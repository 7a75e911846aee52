/** Versioned workers: a new version is deployed while bulk batches and the token budget run. On the dev server. */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { waitFor } from '../../../dev/stage/wait-for.js';
import { LlmJobsClient, type BulkBatchRun } from '../../../src/client.js';
import { Deployment } from '../../support/versioned-workers.js';
import { idsOf, ownerOf, readLines } from '../../support/runs.js';
import { chatRequests } from '../../support/samples.js';
import { devServerStage } from '../../support/stage.js';
import { budgetWorkflowId } from '../../../src/contract/token-budget.js';

const stage = devServerStage();

const PARTS = 200;
const TIMEOUT = 600_000;

function deploymentOf(behavior: 'PINNED' | 'AUTO_UPGRADE'): Deployment {
  return new Deployment(stage.temporal, stage.backend, `versioned-${randomUUID()}`, behavior);
}

async function start(jobs: LlmJobsClient) {
  const requests = chatRequests(PARTS);
  const input = { uri: await stage.write(requests) };
  const run = await jobs.startBulkBatch({ input, split: { requests: 1 }, maxParallel: 20 });
  await waitFor(
    async () => ((await run.progress().catch(() => null))?.parts.done ?? 0) >= 50,
    'a quarter of the parts',
  );
  return { run, requests };
}

const WHOLE = { status: 'completed', rounds: 1, inOrder: true, batches: PARTS, partsBought: PARTS };

/** The end of the run, and how many batches were created since there were `before`. */
async function outcomeOf(run: BulkBatchRun, requests: readonly { readonly custom_id: string }[], before: number) {
  const { status, rounds, output } = await run.result();
  const inOrder = isDeepStrictEqual(idsOf(await readLines(output?.uri)), idsOf(requests));
  const all = await stage.api.batches();
  const created = all.slice(0, all.length - before);
  return { status, rounds, inOrder, batches: created.length, partsBought: new Set(created.map(ownerOf)).size };
}

test(
  'auto-upgrade: a new version is deployed, and the old workers stop → the bulk batch completes on the new version',
  { timeout: TIMEOUT },
  async () => {
    const deployment = deploymentOf('AUTO_UPGRADE');
    const stopFirst = await deployment.deploy('1.0');
    const { run, requests } = await start(new LlmJobsClient(stage.temporal.client, deployment));
    const stopSecond = await deployment.deploy('2.0');
    await stopFirst();
    expect(await outcomeOf(run, requests, 0)).toEqual(WHOLE);
    await stopSecond();
  },
);

test(
  'pinned: a new version is deployed → the bulk batch completes on its own version, and the budget moves to the new one',
  { timeout: TIMEOUT },
  async () => {
    const before = (await stage.api.batches()).length;
    const deployment = deploymentOf('PINNED');
    const stopFirst = await deployment.deploy('1.0');
    const { run, requests } = await start(new LlmJobsClient(stage.temporal.client, deployment));
    const stopSecond = await deployment.deploy('2.0');
    expect(await outcomeOf(run, requests, before)).toEqual(WHOLE);
    const versionOf = async (workflowId: string) => {
      const { raw } = await stage.temporal.client.workflow.getHandle(workflowId).describe();
      return raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId;
    };
    expect(await versionOf(run.workflowId)).toBe('1.0');
    expect(await versionOf(budgetWorkflowId(deployment.taskQueue, 'default'))).toBe('2.0');
    await stopSecond();
    await stopFirst();
  },
);

test('a budget that continues on workers that are pinned by default → moves on with new deployments', async () => {
  const deployment = deploymentOf('PINNED');
  const stop = await deployment.deploy('1.0');
  const { taskQueue } = deployment;
  const { client } = stage.temporal;
  const args = [{ leases: [], queue: [], limits: [], pauses: [], shares: [], grants: [], isEnding: false }];
  const handle = await client.workflow.start('tokenBudget', { taskQueue, workflowId: `${taskQueue}-budget`, args });
  const override = async () => (await handle.describe()).raw.workflowExecutionInfo?.versioningInfo?.versioningOverride;
  await expect.poll(override, { timeout: 60_000 }).toMatchObject({ autoUpgrade: true });
  await handle.terminate();
  await stop();
});
