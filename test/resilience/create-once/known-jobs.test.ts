/** A search that is made as a precaution, because the run is old: what was read of a long list is not read again. */
import { randomUUID } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { clientOf } from '../../../dev/stage/backend.js';
import { IMMEDIATE_BATCH } from '../../../dev/stage/timing.js';
import { JOB_KEY, jobKeyOf, ORIGIN } from '../../../src/contract/job-key.js';
import { endpoint } from '../../support/runs.js';
import { chatRequests } from '../../support/samples.js';
import { devServerStage } from '../../support/stage.js';

const stage = devServerStage({ api: { batches: IMMEDIATE_BATCH } });
afterEach(() => stage.api.faults.clear());

const LISTED = 330;
const input = { requests: chatRequests(2) };

/** Starts a run of a bulk batch that began an hour ago. */
function startOfOldBulk(workflowId: string, runId: string, ageSeconds = 3_600) {
  const { client, taskQueue } = stage.temporal;
  const origin = { runId, startedAt: Math.floor(Date.now() / 1_000) - ageSeconds, mayExist: false };
  const args = [{ input, endpoint }];
  return client.workflow.start('runBatch', { workflowId, taskQueue, args, memo: { [ORIGIN]: origin } });
}

async function createBatches(count: number, metadata: Record<string, string> = {}) {
  const openai = clientOf(stage.api);
  const content = new File([`${JSON.stringify(chatRequests(1)[0])}\n`], 'x.jsonl');
  const { id } = await openai.files.create({ file: content, purpose: 'batch' });
  const batches = Array.from({ length: count }, () =>
    openai.batches.create({ input_file_id: id, endpoint, completion_window: '24h', metadata }),
  );
  return (await Promise.all(batches))[0]!;
}

/** Creates the batch of a run, as one would have done that Temporal has forgotten. */
async function createForgotten(workflowId: string, runId: string) {
  const { client, namespace } = stage.temporal;
  const { clusterId } = await client.workflowService.getClusterInfo({});
  const key = jobKeyOf({ cluster: clusterId ?? '', namespace, workflowId, runId });
  return createBatches(1, { [JOB_KEY]: key });
}

test('many runs and a long list → it is read once to its end, then only what is new; each run creates its job', async () => {
  await createBatches(LISTED);
  const bulkRun = randomUUID();
  const ids = Array.from({ length: 8 }, (_, index) => `part-${index}-${bulkRun}`);
  const handles = await Promise.all(ids.map((id) => startOfOldBulk(id, bulkRun)));
  const results = await Promise.all(handles.map((handle) => handle.result() as Promise<{ batchId: string }>));
  expect(new Set(results.map(({ batchId }) => batchId)).size).toBe(ids.length);
  expect(await stage.api.batches()).toHaveLength(LISTED + ids.length);
  const pages = Math.ceil((LISTED + 1) / 100);
  // Each further reading sees the first page only, and runs that search at the same time share one.
  expect(stage.calls('batches.list').length).toBeLessThan(pages + ids.length);
});

test('the job of such a run was created after the last reading → it is seen, and adopted', async () => {
  const [bulkRun, workflowId] = [randomUUID(), `part-${randomUUID()}`];
  const other = await startOfOldBulk(`part-other-${bulkRun}`, bulkRun);
  await other.result();
  const forgotten = await createForgotten(workflowId, bulkRun);
  const result = (await (await startOfOldBulk(workflowId, bulkRun)).result()) as { batchId: string };
  expect(result.batchId).toBe(forgotten.id);
});

test('the list is refused → the jobs are created nevertheless, and the next search reads it', async () => {
  stage.api.faults.add({ on: 'batches.list', effect: 'forbidden', times: 1 });
  const [bulkRun, workflowId] = [randomUUID(), `part-${randomUUID()}`];
  await (await startOfOldBulk(`part-first-${bulkRun}`, bulkRun)).result();
  const forgotten = await createForgotten(workflowId, bulkRun);
  const result = (await (await startOfOldBulk(workflowId, bulkRun)).result()) as { batchId: string };
  expect(result.batchId).toBe(forgotten.id);
});

test('a reading is interrupted after its first page → the next one sees what is behind it', async () => {
  const [bulkRun, workflowId] = [randomUUID(), `part-${randomUUID()}`];
  await (await startOfOldBulk(`part-first-${bulkRun}`, bulkRun)).result();
  const forgotten = await createForgotten(workflowId, bulkRun);
  await createBatches(60);
  stage.api.faults.add({ on: 'batches.list', skip: 1, times: 1, effect: 'forbidden' });
  await (await startOfOldBulk(`part-second-${bulkRun}`, bulkRun)).result();
  const result = (await (await startOfOldBulk(workflowId, bulkRun)).result()) as { batchId: string };
  expect(result.batchId).toBe(forgotten.id);
});

test('a run that is older than the last reading → the list is read further back', async () => {
  const [bulkRun, workflowId] = [randomUUID(), `part-${randomUUID()}`];
  const forgotten = await createForgotten(workflowId, bulkRun);
  const result = (await (await startOfOldBulk(workflowId, bulkRun, 7_200)).result()) as { batchId: string };
  expect(result.batchId).toBe(forgotten.id);
});
