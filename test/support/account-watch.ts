/** What tests read from the watch of an account, and from the runs that it wakes. */
import type { Client, WorkflowHandle } from '@temporalio/client';
import { accountWatchId, type WatchedJob } from '../../src/contract/account-watch.js';
import { readWatch } from '../../src/temporal/account-view.js';

/** A stage, or another task queue on its server. */
export interface WatchedStage {
  readonly temporal: { readonly client: Client; readonly taskQueue: string };
}

export function watchOf({ temporal }: WatchedStage): WorkflowHandle {
  return temporal.client.workflow.getHandle(accountWatchId(temporal.taskQueue, 'default'));
}

export async function isWatchRunning({ temporal }: WatchedStage): Promise<boolean> {
  return (await readWatch(temporal.client, accountWatchId(temporal.taskQueue, 'default'))).isRunning;
}

/** The open jobs that the watch saw last. */
export async function watchedJobs({ temporal }: WatchedStage): Promise<readonly WatchedJob[]> {
  const { view } = await readWatch(temporal.client, accountWatchId(temporal.taskQueue, 'default'));
  return view?.jobs ?? [];
}

/** Who sent the hints that a run has received: the identities of workers. */
export async function wakersOf(handle: WorkflowHandle): Promise<string[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? [])
    .map((event) => event.workflowExecutionSignaledEventAttributes)
    .filter((signal) => signal?.signalName === 'wake')
    .map((signal) => signal?.identity ?? '');
}
