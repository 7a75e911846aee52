/** The result of a part whose run was ended by an operator, looked up at a real server. */
import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createActivities } from '../../../src/activities/index.js';
import { sandbox } from '../../support/storage.js';
import { devServer } from '../../support/temporal.js';

const temporal = devServer();
let box: Awaited<ReturnType<typeof sandbox>>;
beforeAll(async () => {
  box = await sandbox();
});
afterAll(() => box.remove());

function find(workflowId: string): Promise<unknown> {
  const client = new OpenAI({ apiKey: 'none', baseURL: 'http://127.0.0.1:9' });
  const activities = createActivities({ providers: { default: { client } }, storage: box.storage });
  const environment = new MockActivityEnvironment({}, { client: temporal.client });
  return environment.run(() => activities.findPartResult({ workflowId, resultsUri: box.uri('batches') }));
}

describe('findPartResult', () => {
  it('a run that was terminated before its first workflow task → null, without retries', async () => {
    const workflowId = `never-ran-${randomUUID()}`;
    const handle = await temporal.client.workflow.start('runBatch', { workflowId, taskQueue: 'nobody', args: [{}] });
    await handle.terminate();
    expect(await find(workflowId)).toBeNull();
  });

  it('a run that does not exist → null', async () => {
    expect(await find(`none-${randomUUID()}`)).toBeNull();
  });
});
