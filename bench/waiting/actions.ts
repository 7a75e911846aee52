/**
 * What a run cost in events and in billable actions of Temporal Cloud, by its history and by the attempts of its
 * activities. Which events are actions: https://docs.temporal.io/evaluate/cloud/actions
 */
import type { Client, WorkflowHandle } from '@temporalio/client';

export type HistoryEvent = NonNullable<Awaited<ReturnType<WorkflowHandle['fetchHistory']>>['events']>[number];

/** Events that are one action each. The retries of an activity are further actions, but no events. */
const ACTION_EVENTS = [
  'workflowExecutionStartedEventAttributes',
  'workflowExecutionSignaledEventAttributes',
  'workflowExecutionUpdateAcceptedEventAttributes',
  'workflowExecutionOptionsUpdatedEventAttributes',
  'upsertWorkflowSearchAttributesEventAttributes',
  'activityTaskScheduledEventAttributes',
  'timerStartedEventAttributes',
  'markerRecordedEventAttributes',
] as const satisfies readonly (keyof HistoryEvent)[];

export interface RunCost {
  readonly events: number;
  /** Without heartbeats, which are in no history. */
  readonly actions: number;
}

/** @param attempts of activities of the run: each beyond the first of an activity is an action */
export function costOf(events: readonly HistoryEvent[], attempts: number): RunCost {
  const has = (event: HistoryEvent, key: keyof HistoryEvent) => event[key] !== null && event[key] !== undefined;
  const inHistory = events.filter((event) => ACTION_EVENTS.some((key) => has(event, key))).length;
  const scheduled = events.filter((event) => has(event, 'activityTaskScheduledEventAttributes')).length;
  // Signal-with-start is one action: its signal is the event after the start.
  const isSignalWithStart = events[1] !== undefined && has(events[1], 'workflowExecutionSignaledEventAttributes');
  const retries = Math.max(0, attempts - scheduled);
  return { events: events.length, actions: inHistory + retries - (isSignalWithStart ? 1 : 0) };
}

/** The events of a run and of those that continued it as new. */
export async function wholeHistory(client: Client, workflowId: string, firstRunId: string): Promise<HistoryEvent[]> {
  const all: HistoryEvent[] = [];
  for (let runId: string | undefined = firstRunId; runId !== undefined;) {
    const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    all.push(...(events ?? []));
    const next: string | null | undefined =
      events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
    runId = next ?? undefined;
  }
  return all;
}

/** Epoch milliseconds. */
function timeOf({ eventTime }: HistoryEvent): number {
  return Number(eventTime?.seconds ?? 0) * 1_000 + Math.floor((eventTime?.nanos ?? 0) / 1e6);
}

/** When a run knew that its batch had ended, in epoch ms, and which batch it was: it then collects the results. */
export function detectionIn(events: readonly HistoryEvent[]): { batchId: string; at: number } | null {
  const collect = events.findLast((event) =>
    event.activityTaskScheduledEventAttributes?.activityType?.name?.startsWith('collect'),
  );
  const data = events.at(-1)?.workflowExecutionCompletedEventAttributes?.result?.payloads?.[0]?.data;
  if (!collect || !data) return null;
  const { batchId } = JSON.parse(Buffer.from(data).toString()) as { batchId: string };
  return { batchId, at: timeOf(collect) };
}
