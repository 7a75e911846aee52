/** The search attributes of runs, in a namespace that has none of them at first. */
import { randomUUID } from 'node:crypto';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { LlmJobsClient, NoSearchAttributesError, SEARCH_ATTRIBUTES } from '../../src/client.js';
import { stageActivities } from '../../dev/stage/backend.js';
import { waitFor } from '../../dev/stage/wait-for.js';
import { startWorker } from '../../dev/stage/worker.js';
import { llmJobs, useVariablesOf, type Ended } from '../support/commands.js';
import { endpoint } from '../support/runs.js';
import { chatRequests } from '../support/samples.js';
import { devServerStage } from '../support/stage.js';

const stage = devServerStage();
const namespace = `attributes-${randomUUID()}`;
useVariablesOf(stage, () => ({ TEMPORAL_NAMESPACE: namespace }));

let connection: Connection;
let client: Client;
let jobs: LlmJobsClient;
let stop: () => Promise<void>;

beforeAll(async () => {
  const { address, taskQueue } = stage.temporal;
  connection = await Connection.connect({ address });
  client = new Client({ connection, namespace });
  jobs = new LlmJobsClient(client, { taskQueue });
  await client.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  await waitFor(async () => (await client.workflow.count().catch(() => null)) !== null, 'the namespace');
  const target = { connection: stage.temporal.connection, namespace, taskQueue };
  stop = await startWorker(target, stageActivities(stage.backend, { poll: { min: '150ms', max: '300ms' } }));
});
afterAll(async () => {
  await stop?.();
  await connection?.close();
});
beforeEach(() => stage.api.scenarios.clear());

const spec = () => ({ input: { requests: chatRequests(3) }, endpoint });

/** As a client in another language starts a run. */
const startPlainly = (attributes?: { readonly kind: string }) =>
  client.workflow.start('runBatch', {
    workflowId: `plain-${randomUUID()}`,
    taskQueue: stage.temporal.taskQueue,
    args: [spec()],
    ...(attributes && { typedSearchAttributes: [{ key: SEARCH_ATTRIBUTES.kind, value: attributes.kind }] }),
  });

async function attributesOf(handle: WorkflowHandle) {
  const { typedSearchAttributes } = await handle.describe();
  const values = typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]);
  return Object.fromEntries(values.filter(([name]) => String(name).startsWith('LlmJob'))) as Record<string, unknown>;
}

async function upsertsOf(handle: WorkflowHandle): Promise<number> {
  const { events = [] } = await handle.fetchHistory();
  return events!.filter((event) => event.upsertWorkflowSearchAttributesEventAttributes).length;
}

test('not registered → runs work without, and a list by state says what to do', async () => {
  const run = await jobs.startBatch(spec());
  expect(await run.result()).toMatchObject({ status: 'completed' });
  expect(await attributesOf(run.handle)).toEqual({});
  await expect(jobs.list({ states: ['expired'] }).next()).rejects.toThrow(NoSearchAttributesError);
  const listed = await llmJobs('list', '--status', 'expired');
  expect(listed).toMatchObject({ code: 5, out: [] });
  expect(listed.err).toContain('To register them: llm-jobs setup');
});

describe('registered', () => {
  let registered: LlmJobsClient;
  let other: Connection;
  const setups: Ended[] = [];
  beforeAll(async () => {
    vi.stubEnv('TEMPORAL_ADDRESS', stage.temporal.address);
    vi.stubEnv('TEMPORAL_NAMESPACE', namespace);
    setups.push(await llmJobs('setup', '--json'), await llmJobs('setup', '--ui', 'https://ui.example.com'));
    // A client asks again after a minute; a new connection asks at once.
    other = await Connection.connect({ address: stage.temporal.address });
    const { taskQueue } = stage.temporal;
    registered = new LlmJobsClient(new Client({ connection: other, namespace }), { taskQueue });
  });
  afterAll(() => other?.close());

  test('llm-jobs setup, twice → added, then kept; links for the UI', () => {
    const names = Object.values(SEARCH_ATTRIBUTES).map(({ name }) => name);
    const [first, again] = setups;
    expect(first).toMatchObject({ code: 0, err: [] });
    expect(JSON.parse(first!.out.join(''))).toMatchObject({ namespace, added: names, kept: [], isTakenUp: true });
    expect(again!.out[0]).toBe(`There before: ${names.join(', ')}`);
    expect(again!.out).toContainEqual(expect.stringContaining(`https://ui.example.com/namespaces/${namespace}/`));
  });

  test('a bulk batch with failures → two events; its parts have the ids of their batches; the list tells it', async () => {
    stage.api.scenarios.forBatches(() => true, { lines: () => ({ kind: 'status', status: 400 }) });
    const uri = await stage.write(chatRequests(4));
    const run = await registered.startBulkBatch({ input: { uri }, split: { requests: 2 }, maxRounds: 1 });
    expect(run.workflowId).toMatch(/^bulk-.+-[a-z2-9]{10}$/);
    await run.result();
    expect(await attributesOf(run.handle)).toEqual({
      LlmJobKind: 'bulkBatch',
      LlmJobStatus: 'completed_with_failures',
      LlmJobProvider: 'default',
    });
    expect(await upsertsOf(run.handle)).toBe(2);
    const part = client.workflow.getHandle(`${run.workflowId}/r1-p1`);
    const { batchId } = (await part.result()) as { batchId: string };
    expect(await attributesOf(part)).toMatchObject({ LlmJobKind: 'part', LlmJobId: batchId });

    const found = async (query: string) => {
      const ids: string[] = [];
      for await (const { workflowId } of client.workflow.list({ query })) ids.push(workflowId);
      return ids;
    };
    await waitFor(async () => (await found(`LlmJobId = '${batchId}'`)).length > 0, 'the list');
    expect(await found(`LlmJobId = '${batchId}'`)).toEqual([part.workflowId]);
    const status = ['--kind', 'bulk', '--status', 'completed_with_failures'];
    const listed = async () => (await llmJobs('list', ...status)).out.join('\n');
    await waitFor(async () => (await listed()).includes(run.workflowId), 'the list by state');
    expect(await listed()).toMatch(new RegExp(`${run.workflowId} +bulk +completed +completed_with_failures`));
    expect((await llmJobs('list', ...status, '--model', 'no-such-model')).out).toEqual([]);
  });

  test('a run that was started without → no event; one with its kind alone → the others', async () => {
    const [without, withKind] = [await startPlainly(), await startPlainly({ kind: 'batch' })];
    const { batchId, model } = (await withKind.result()) as { batchId: string; model: string };
    await without.result();
    expect(await upsertsOf(without)).toBe(0);
    expect(await attributesOf(without)).toEqual({});
    expect(await attributesOf(withKind)).toEqual({
      LlmJobKind: 'batch',
      LlmJobStatus: 'completed',
      LlmJobId: batchId,
      LlmJobModel: model,
      LlmJobProvider: 'default',
    });
  });

  test('a spec that is refused → failed', async () => {
    const handle = await client.workflow.start('runBatch', {
      workflowId: `refused-${randomUUID()}`,
      taskQueue: stage.temporal.taskQueue,
      args: [{}],
      typedSearchAttributes: [{ key: SEARCH_ATTRIBUTES.kind, value: 'batch' }],
    });
    await expect(handle.result()).rejects.toThrow('Workflow execution failed');
    expect(await attributesOf(handle)).toEqual({ LlmJobKind: 'batch', LlmJobStatus: 'failed' });
    const { currentDetails } = await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
    expect(currentDetails).toMatch(/^### Batch: failed, `InvalidInput`\n\n\*\*InvalidInput:\*\* .*\n\n- `input`: /);
  });
});
