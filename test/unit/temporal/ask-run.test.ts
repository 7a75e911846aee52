/** A query needs a worker that answers it. */
import { expect, test } from 'vitest';
import { askRun } from '../../../src/temporal/ask-run.js';
import { devServer } from '../../support/temporal.js';

const temporal = devServer();

test('a run that no worker answers for → an error within seconds', async () => {
  const { client, taskQueue } = temporal;
  const { workflowId } = await client.workflow.start('runBatch', { taskQueue, workflowId: taskQueue, args: [{}] });
  await expect(askRun(client, workflowId, 'progress')).rejects.toThrow(/[Qq]uery|deadline|DEADLINE/);
  await client.workflow.getHandle(workflowId).terminate();
});
