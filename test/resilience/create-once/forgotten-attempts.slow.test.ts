/**
 * Creates of which Temporal knows too little: a worker was cut off, the activity was reset, Temporal was restored from a
 * backup, the clocks differ. On the dev server, in real time.
 */
import { randomUUID } from 'node:crypto';

import { NativeConnection } from '@temporalio/worker';
import { afterEach, expect, test } from 'vitest';
import { JOB_KEY, jobKeyOf, LlmJobsClient } from '../../../src/client.js';
import { ManualClock } from '../../../src/testing/index.js';
import { clientOf, stageActivities } from '../../../dev/stage/backend.js';
import { IMMEDIATE_BATCH, MINUTE } from '../../../dev/stage/timing.js';
import { waitFor } from '../../../dev/stage/wait-for.js';
import { startWorker } from '../../../dev/stage/worker.js';
import { cuttingProxy } from '../../support/cutting-proxy.js';
import { endpoint, jobsOf } from '../../support/runs.js';
import { chatRequests } from '../../support/samples.js';
import { devServerStage } from '../../support/stage.js';

const stage = devServerStage({ providers: { default: { timeoutMs: 30_000 } } });
afterEach(() => stage.api.faults.clear());

const spec = { input: { requests: chatRequests(2) }, endpoint };

test('a worker is cut off in the middle of a slow create → its successor waits for it, and adopts the batch', async () => {
  const { address, namespace, client } = stage.temporal;
  const taskQueue = `cut-off-${randomUUID()}`;
  const proxy = await cuttingProxy(`http://${address}`, () => Infinity);
  const connection = await NativeConnection.connect({ address: new URL(proxy.url).host });
  const activities = () => stageActivities(stage.backend, { providers: { default: { timeoutMs: 30_000 } } });
  const stopFirst = await startWorker({ connection, namespace, taskQueue }, activities());
  const fault = stage.api.faults.add({ on: 'batches.create', effect: { kind: 'delay', ms: 25_000 } });

  const run = await new LlmJobsClient(client, { taskQueue }).startBatch(spec);
  await waitFor(() => fault.hits === 1, 'the create');
  proxy.setDown(true);
  const stopSecond = await startWorker({ connection: stage.temporal.connection, namespace, taskQueue }, activities());
  const { batchId, warnings } = await run.result();
  expect((await jobsOf(stage.api, run.workflowId)).map(({ id }) => id)).toEqual([batchId]);
  expect(stage.calls('batches.create')).toHaveLength(1);
  expect(warnings).toEqual([]);

  await stopSecond();
  proxy.setDown(false);
  await stopFirst();
  await connection.close();
  await proxy.close();
});

test('an operator resets the activity after a lost answer, with its heartbeats → the batch is looked for and adopted', async () => {
  const lost = { kind: 'status', status: 503, handled: true, retryAfter: 600 } as const;
  const fault = stage.api.faults.add({ on: 'batches.create', effect: lost });
  const run = await stage.jobs.startBatch(spec);
  await waitFor(() => fault.hits === 1, 'the create');
  const { workflowId } = run;
  const pending = async () => (await run.handle.describe()).raw.pendingActivities?.[0];
  await waitFor(async () => Boolean((await pending())?.lastFailure), 'the failure of the attempt');
  const { client, namespace } = stage.temporal;
  const reset = { namespace, execution: { workflowId }, type: 'createBatch', resetHeartbeat: true };
  await client.workflowService.resetActivity(reset);
  const { batchId } = await run.result();
  expect((await jobsOf(stage.api, workflowId)).map(({ id }) => id)).toEqual([batchId]);
  expect(stage.calls('batches.create')).toHaveLength(1);
});

/** Creates the job of a run, as an attempt would have done that Temporal has forgotten. */
async function createForgotten(workflowId: string, runId: string) {
  const { namespace, client } = stage.temporal;
  const { clusterId } = await client.workflowService.getClusterInfo({});
  const key = jobKeyOf({ cluster: clusterId ?? '', namespace, workflowId, runId });
  const openai = clientOf(stage.api);
  const file = new File(
    [
      chatRequests(2)
        .map((line) => JSON.stringify(line))
        .join('\n'),
    ],
    'x.jsonl',
  );
  const { id: fileId } = await openai.files.create({ file, purpose: 'batch' });
  const metadata = { [JOB_KEY]: key };
  return openai.batches.create({ input_file_id: fileId, endpoint, completion_window: '24h', metadata });
}

test('Temporal was restored from a backup older than the create → the first attempt looks, and adopts the batch', async () => {
  const fault = stage.api.faults.add({ on: 'files.create', effect: { kind: 'delay', ms: 22_000 } });
  const run = await stage.jobs.startBatch(spec);
  await waitFor(() => fault.hits === 1, 'the upload');
  const { runId } = await run.handle.describe();
  const forgotten = await createForgotten(run.workflowId, runId);
  expect((await run.result()).batchId).toBe(forgotten.id);
  expect(await jobsOf(stage.api, run.workflowId)).toHaveLength(1);
});

test('an older run may not list → its job is created nevertheless, since no attempt is known that created one', async () => {
  stage.api.faults.add({ on: 'files.create', effect: { kind: 'delay', ms: 22_000 } });
  stage.api.faults.add({ on: 'batches.list', effect: 'forbidden', times: Infinity });
  const run = await stage.jobs.startBatch(spec);
  expect((await run.result()).status).toBe('completed');
  expect(stage.calls('batches.create')).toHaveLength(1);
});

test('a run that began a moment ago → creates without a look at the list', async () => {
  expect((await (await stage.jobs.startBatch(spec)).result()).status).toBe('completed');
  expect(stage.calls('batches.list')).toEqual([]);
});

test('a search is interrupted on its third page → the next attempt goes on there, then reads what is new', async () => {
  const openai = clientOf(stage.api);
  const content = new File([`${JSON.stringify(chatRequests(1)[0])}\n`], 'x.jsonl');
  const { id: fileId } = await openai.files.create({ file: content, purpose: 'batch' });
  const before = stage.api.requests.length;
  const lost = stage.api.faults.add({ on: 'batches.create', effect: { kind: 'status', status: 503, handled: true } });
  const run = await stage.jobs.startBatch(spec);
  await waitFor(() => lost.hits === 1, 'the create');
  const params = { input_file_id: fileId, endpoint, completion_window: '24h' } as const;
  for (let n = 0; n < 260; n += 1) await openai.batches.create(params);
  stage.api.faults.add({ on: 'batches.list', skip: 2, effect: 'unavailable' });
  expect((await run.result()).status).toBe('completed');
  expect(await jobsOf(stage.api, run.workflowId)).toHaveLength(1);
  const lists = stage.api.requests.slice(before).filter(({ operation }) => operation === 'batches.list');
  const afters = lists.map(({ path }) => new URL(path, 'http://x').searchParams.get('after'));
  expect(afters.slice(0, 2)).toEqual([null, expect.any(String)]);
  expect(afters[2]).toEqual(expect.any(String));
  expect(afters[3]).toBe(afters[2]);
  expect(afters[4]).toBeNull();
});

const slow = new ManualClock(Date.now() - 20 * MINUTE);
const behind = devServerStage({ api: { clock: slow, batches: IMMEDIATE_BATCH } });

test("Temporal's clock is 20 minutes ahead of the provider's → the job of a lost answer is found all the same", async () => {
  behind.api.faults.add({ on: 'batches.create', effect: 'lostAnswer' });
  const run = await behind.jobs.startBatch(spec);
  const { batchId } = await run.result();
  expect((await jobsOf(behind.api, run.workflowId)).map(({ id }) => id)).toEqual([batchId]);
});
