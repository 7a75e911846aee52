/** The runs of a bulk batch's parts, seen by activities at a real server. */
import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createActivities } from '../../../src/activities/index.js';
import type { StartPartInput } from '../../../src/contract/activities/part-runs.js';
import { sandbox } from '../../support/storage.js';
import { devServer } from '../../support/temporal.js';

const temporal = devServer();
let box: Awaited<ReturnType<typeof sandbox>>;
beforeAll(async () => {
  box = await sandbox();
});
afterAll(() => box.remove());

const NOBODY = 'nobody';

function start(workflowId: string, runId: string): Promise<unknown> {
  const client = new OpenAI({ apiKey: 'none', baseURL: 'http://127.0.0.1:9' });
  const activities = createActivities({ providers: { default: { client } }, storage: box.storage });
  const workflowExecution = { workflowId: 'bulk', runId: 'a-run' };
  const environment = new MockActivityEnvironment(
    { workflowExecution, taskQueue: NOBODY },
    { client: temporal.client },
  );
  const input: StartPartInput = {
    workflowId,
    name: 'r1-p1',
    origin: { runId, startedAt: 0, mayExist: false },
    bulkRun: 'a-run',
    summary: 'Part 1',
    spec: { input: { uri: box.uri('part.jsonl') }, endpoint: '/v1/chat/completions' },
    checked: { requests: 1, model: 'm', file: { uri: box.uri('part.jsonl'), bytes: 1, sha256: '0'.repeat(64) } },
    hasAttributes: false,
  };
  return environment.run(() => activities.startPart(input));
}

const runOf = (workflowId: string) => temporal.client.workflow.getHandle(workflowId).describe();

describe('startPart', () => {
  it('called again → the same run', async () => {
    const workflowId = `part-${randomUUID()}`;
    expect(await start(workflowId, 'one')).toEqual({ kind: 'started' });
    const { runId } = await runOf(workflowId);
    expect(await start(workflowId, 'one')).toEqual({ kind: 'started' });
    expect((await runOf(workflowId)).runId).toBe(runId);
    await temporal.client.workflow.getHandle(workflowId).terminate();
  });

  it('a run of another bulk batch has the id → it is told to cancel; once it is over, a new run starts', async () => {
    const workflowId = `part-${randomUUID()}`;
    await start(workflowId, 'one');
    const { runId } = await runOf(workflowId);
    expect(await start(workflowId, 'two')).toEqual({ kind: 'occupied' });
    const { events } = await temporal.client.workflow.getHandle(workflowId).fetchHistory();
    expect(events?.map((event) => event.workflowExecutionSignaledEventAttributes?.signalName)).toContain('cancel');
    await temporal.client.workflow.getHandle(workflowId).terminate();
    expect(await start(workflowId, 'two')).toEqual({ kind: 'started' });
    expect((await runOf(workflowId)).runId).not.toBe(runId);
    await temporal.client.workflow.getHandle(workflowId).terminate();
  });

  it('its own run was terminated, before a reset for example → it starts again and looks for its batch', async () => {
    const workflowId = `part-${randomUUID()}`;
    await start(workflowId, 'one');
    await temporal.client.workflow.getHandle(workflowId).terminate();
    expect(await start(workflowId, 'one')).toEqual({ kind: 'started' });
    expect((await runOf(workflowId)).memo).toMatchObject({ llmJobsOrigin: { runId: 'one', mayExist: true } });
    await temporal.client.workflow.getHandle(workflowId).terminate();
  });
});
