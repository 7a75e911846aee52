/** Who serves a task queue. */
import type { Client } from '@temporalio/client';

/** A poll that finds no work ends after a minute. Twice as long makes up for clocks that differ. */
const POLLED_WITHIN_MS = 120_000;

/** The value of `TASK_QUEUE_TYPE_WORKFLOW`. */
const WORKFLOW_TASKS = 1;

/**
 * Whether a worker has asked for work on the task queue of late. True where the server does not tell.
 *
 * @param now epoch ms
 */
export async function isPolled(client: Client, taskQueue: string, now = Date.now()): Promise<boolean> {
  const { namespace } = client.options;
  const asked = { namespace, taskQueue: { name: taskQueue }, taskQueueType: WORKFLOW_TASKS };
  const found = await client.workflowService.describeTaskQueue(asked).catch(() => null);
  if (found === null) return true;
  return found.pollers.some(
    ({ lastAccessTime }) => now - Number(lastAccessTime?.seconds ?? 0) * 1_000 < POLLED_WITHIN_MS,
  );
}
