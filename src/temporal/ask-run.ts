/** What a run tells of itself when it is asked: a query, which is answered by a worker and not by the server. */
import type { Client } from '@temporalio/client';

/**
 * A query waits for a worker, and for the workflow task that is under way. A server gives up after 30 s; the time-skipping
 * server never does, and its time stands still while an activity asks.
 */
const ANSWER_WITHIN_MS = 10_000;

/**
 * Queries a run.
 *
 * @throws if there is no answer within 10 s, and the errors of the client
 */
export function askRun<Answer>(
  temporal: Client,
  workflowId: string,
  query: string,
  ...args: readonly unknown[]
): Promise<Answer> {
  const handle = temporal.workflow.getHandle(workflowId);
  return temporal.withDeadline(Date.now() + ANSWER_WITHIN_MS, () => handle.query<Answer, unknown[]>(query, ...args));
}
