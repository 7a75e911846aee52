/** A query needs a worker that answers it. */
import { expect, test } from 'vitest';
import { askRun } from '../../../src/temporal/ask-run.js';
import { devServer } from '../../support/temporal.js';

/** GRPC's. */
const DEADLINE_EXCEEDED = 4;

const temporal = devServer();

// The server itself gives up after 30 s.
test('a run that no worker answers for → an error before the server gives up', { timeout: 25_000 }, async () => {
  const { client, taskQueue } = temporal;
  const { workflowId } = await client.workflow.start('runBatch', { taskQueue, workflowId: taskQueue, args: [{}] });
  await expect(askRun(client, workflowId, 'progress')).rejects.toMatchObject({ cause: { code: DEADLINE_EXCEEDED } });
  await client.workflow.getHandle(workflowId).terminate();
});
