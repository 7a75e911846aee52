/** What tests read from the watch of an account, and from the runs that it wakes. */
import type { Client, WorkflowHandle } from '@temporalio/client';
import { accountWatchId } from '../../src/contract/account-watch.js';
import { readWatch } from '../../src/temporal/account-view.js';

interface WatchedStage {
  readonly temporal: { readonly client: Client; readonly taskQueue: string };
}

export function watchOf({ temporal }: WatchedStage): WorkflowHandle {
  return temporal.client.workflow.getHandle(accountWatchId(temporal.taskQueue, 'default'));
}

export async function isWatchRunning({ temporal }: WatchedStage): Promise<boolean> {
  return (await readWatch(temporal.client, accountWatchId(temporal.taskQueue, 'default'))).isRunning;
}

/** The workflow ids of the runs whose jobs the watch saw last. */
export async function watchedRuns({ temporal }: WatchedStage): Promise<string[]> {
  const { view } = await readWatch(temporal.client, accountWatchId(temporal.taskQueue, 'default'));
  return (view?.jobs ?? []).map(({ workflowId }) => workflowId);
}

/** Who sent the hints that a run has received: the identities of workers. */
export async function wakersOf(handle: WorkflowHandle): Promise<string[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? [])
    .map((event) => event.workflowExecutionSignaledEventAttributes)
    .filter((signal) => signal?.signalName === 'wake')
    .map((signal) => signal?.identity ?? '');
}
