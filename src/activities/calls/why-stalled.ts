/**
 * Finds out why another run does not get on. A worker that lacks a workflow's type fails its first task again and again,
 * which Temporal shows in that run alone, while its parent waits forever.
 */
import { getClient } from '@temporalio/activity';
import { WorkflowNotFoundError } from '@temporalio/client';
import { bounded } from '../../contract/text.js';

/** Events in which the failure of a task is looked for: only the first of a row of failures is an event. */
const RECENT_EVENTS = 20;
/** A task that no worker has taken after this long waits for a worker that is not there. */
const UNCLAIMED_AFTER_MS = 20_000;

/** What keeps the current run of a workflow from getting on; null if nothing is known to, or if it has ended. */
export async function whyStalled(workflowId: string): Promise<string | null> {
  const client = getClient();
  try {
    const { status, raw } = await client.workflow.getHandle(workflowId).describe();
    const task = raw.pendingWorkflowTask;
    if (status.name !== 'RUNNING' || !task) return null;
    if ((task.attempt ?? 1) > 1) {
      const { namespace } = client.options;
      const request = { namespace, execution: { workflowId }, maximumPageSize: RECENT_EVENTS };
      const { history } = await client.workflowService.getWorkflowExecutionHistoryReverse(request);
      const failed = history?.events?.find((event) => event.workflowTaskFailedEventAttributes);
      const message = failed?.workflowTaskFailedEventAttributes?.failure?.message;
      return bounded(message || 'its workflow tasks fail', 300);
    }
    const waitingMs = Date.now() - Number(task.originalScheduledTime?.seconds ?? Infinity) * 1_000;
    const isUnclaimed = !task.startedTime?.seconds && waitingMs > UNCLAIMED_AFTER_MS;
    return isUnclaimed ? 'no worker takes its workflow tasks' : null;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}
