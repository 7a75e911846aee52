import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import OpenAI from 'openai';
import { expect, test } from 'vitest';
import { LlmJobsClient } from '../../src/client.js';
import { LlmJobsPlugin } from '../../src/index.js';
import { LocalApi } from '../../src/testing/index.js';
import { devServer, withWorker } from '../support/temporal.js';
import { chatRequests } from '../support/samples.js';
import { endpoint } from '../support/end-to-end.js';

const temporal = devServer();

test('a worker of one’s own: the plugin and re-exported workflows → a batch runs', async () => {
  await using api = await LocalApi.start({ batches: { validatingMs: 0, inProgressMs: 500, finalizingMs: 0 } });
  const folder = await mkdtemp(join(tmpdir(), 'llm-jobs-own-worker-'));
  const plugin = new LlmJobsPlugin({
    providers: { default: { client: new OpenAI({ apiKey: api.apiKey, baseURL: api.url }) } },
    storage: [pathToFileURL(`${folder}/`).href],
    poll: { min: '100ms', max: '1s' },
  });
  const workflowsPath = fileURLToPath(new URL('own-workflows.mjs', import.meta.url));
  try {
    await withWorker(temporal, { workflowsPath, plugins: [plugin] }, async () => {
      const jobs = new LlmJobsClient(temporal.client, { taskQueue: temporal.taskQueue });
      const run = await jobs.startBatch({ input: { requests: chatRequests(5) }, endpoint });
      expect(await run.result()).toMatchObject({ status: 'completed', lines: { succeeded: 5 } });
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
