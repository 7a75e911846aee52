/** A worker whose workflows lack those of a part: the progress tells it, in real time. */
import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import { expect, test } from 'vitest';
import { LlmJobsClient } from '../../src/client.js';
import { LlmJobsPlugin } from '../../src/index.js';
import { clientOf, startBackend } from '../../dev/stage/backend.js';
import { IMMEDIATE_BATCH } from '../../dev/stage/timing.js';
import { waitFor } from '../../dev/stage/wait-for.js';
import { chatRequests } from '../support/samples.js';
import { devServer } from '../support/temporal.js';

const temporal = devServer();

test('a user’s workflows without runBatch → the progress of a bulk batch says so, and it goes on once they have it', async () => {
  const { connection, namespace, client } = temporal;
  const taskQueue = `${temporal.taskQueue}-without-children`;
  const { api, folder, stop } = await startBackend({ batches: IMMEDIATE_BATCH });
  try {
    const plugin = new LlmJobsPlugin({
      providers: { default: { client: clientOf(api) } },
      storage: [folder.uri],
      poll: { min: '100ms', max: '1s' },
    });
    const workerOf = (file: URL) =>
      Worker.create({
        connection,
        namespace,
        taskQueue,
        workflowsPath: fileURLToPath(file),
        plugins: [plugin],
      });
    const input = { uri: await folder.write(chatRequests(3)) };
    const run = await new LlmJobsClient(client, { taskQueue }).startBulkBatch({ input });
    await (
      await workerOf(new URL('bulk-without-children.mjs', import.meta.url))
    ).runUntil(() =>
      waitFor(
        async () => /does not run: .*runBatch/.test((await run.progress()).waitingFor ?? ''),
        'the reason in the progress',
      ),
    );
    const { result, progress } = await (
      await workerOf(new URL('all-workflows.mjs', import.meta.url))
    ).runUntil(async () => ({ result: await run.result(), progress: await run.progress() }));
    expect(result.lines.succeeded).toBe(3);
    expect(result.warnings.join()).toContain('runBatch');
    expect(progress.waitingFor).toBeNull();
  } finally {
    await stop();
  }
}, 180_000);
