/** What an operator does from the UI or the CLI. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { inject } from 'vitest';
import { cleanEnvironment } from '../../dev/stage/worker-process.js';
import type { TestTemporal } from './temporal.js';

/** Ids of the events that a run can be reset to. */
export async function workflowTasks(handle: WorkflowHandle): Promise<number[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? [])
    .filter((event) => event.workflowTaskCompletedEventAttributes)
    .map((event) => Number(event.eventId));
}

/** `RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL`. */
const SIGNALS = 1;

/**
 * Resets a run; answers with the id of the new one.
 *
 * @param signals what becomes of those that came later than the event
 */
export async function reset(
  client: Client,
  handle: WorkflowHandle,
  runId: string,
  eventId: number,
  { signals = 'kept' }: { readonly signals?: 'kept' | 'dropped' } = {},
): Promise<string> {
  const reply = await client.workflowService.resetWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId: handle.workflowId, runId },
    reason: 'a test',
    requestId: randomUUID(),
    workflowTaskFinishEventId: eventId as never,
    ...(signals === 'dropped' && { resetReapplyExcludeTypes: [SIGNALS] }),
  });
  return reply.runId;
}

/** Runs the `temporal` CLI and returns the JSON that it printed; null for no output. */
export async function temporalCli(temporal: TestTemporal, ...args: string[]): Promise<unknown> {
  const server = inject('devServer');
  if ('problem' in server) throw new Error(server.problem);
  const target = ['--address', temporal.address, '--namespace', temporal.namespace, '--output', 'json'];
  const { stdout } = await promisify(execFile)(server.value.cliPath, [...args, ...target], {
    env: cleanEnvironment(),
  });
  return stdout.trim() === '' ? null : JSON.parse(stdout);
}
