import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import { expect, test } from 'vitest';
import { LlmJobsClient } from '../../src/client.js';
import { LlmJobsPlugin } from '../../src/index.js';
import { clientOf, startBackend } from '../../dev/stage/backend.js';
import { IMMEDIATE_BATCH } from '../../dev/stage/timing.js';
import { endpoint } from '../support/runs.js';
import { chatRequests } from '../support/samples.js';
import { devServer } from '../support/temporal.js';

const temporal = devServer();

test('a user’s worker: the plugin and re-exported workflows → a batch runs', async () => {
  const { connection, namespace, taskQueue, client } = temporal;
  const { api, folder, stop } = await startBackend({ batches: { ...IMMEDIATE_BATCH, inProgressMs: 500 } });
  try {
    const plugin = new LlmJobsPlugin({
      providers: { default: { client: clientOf(api) } },
      storage: [folder.uri],
      poll: { min: '100ms', max: '1s' },
    });
    // The workflows are loaded once for the worker.
    expect(plugin.configureBundler({ workflowsPath: '' }).preloadModules).toEqual([
      expect.stringMatching(/dist.workflows\.js$/),
    ]);
    const workflowsPath = fileURLToPath(new URL('own-workflows.mjs', import.meta.url));
    const worker = await Worker.create({ connection, namespace, taskQueue, workflowsPath, plugins: [plugin] });
    await worker.runUntil(async () => {
      const jobs = new LlmJobsClient(client, { taskQueue });
      const run = await jobs.startBatch({ input: { requests: chatRequests(5) }, endpoint });
      expect(await run.result()).toMatchObject({ status: 'completed', lines: { succeeded: 5 } });
    });
  } finally {
    await stop();
  }
});
