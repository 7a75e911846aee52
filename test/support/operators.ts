/** What an operator does from the UI or the CLI, by the service's own calls. */
import { randomUUID } from 'node:crypto';
import type { Client, WorkflowHandle } from '@temporalio/client';

/** Ids of the events that a run can be reset to. */
export async function workflowTasks(handle: WorkflowHandle): Promise<number[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? [])
    .filter((event) => event.workflowTaskCompletedEventAttributes)
    .map((event) => Number(event.eventId));
}

/** Resets a run; answers with the id of the new one. */
export async function reset(client: Client, handle: WorkflowHandle, runId: string, eventId: number): Promise<string> {
  const reply = await client.workflowService.resetWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId: handle.workflowId, runId },
    reason: 'a test',
    requestId: randomUUID(),
    workflowTaskFinishEventId: eventId as never,
  });
  return reply.runId;
}
