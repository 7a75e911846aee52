/** What a bulk batch costs in history: its own runs, and the runs of its parts. */
import type { Client, WorkflowHandle } from '@temporalio/client';

type History = NonNullable<Awaited<ReturnType<WorkflowHandle['fetchHistory']>>['events']>;

export interface BulkHistory {
  /** Runs of the bulk batch, one after the other by continue-as-new. */
  readonly runs: number;
  readonly events: number;
  readonly longestRun: number;
  readonly eventsPerPart: number;
  readonly signals: number;
  /** Bytes of the largest argument or result of an activity, a signal or a run. */
  readonly largestPayload: number;
  /** From the end of a part's run to the start of the next one in its place, in milliseconds. */
  readonly idle: { readonly p50: number; readonly p95: number };
  /** Events of the first part's run. */
  readonly eventsOfAPart: number;
}

/** Reads the histories of a bulk batch that has ended. */
export async function bulkHistory(client: Client, workflowId: string, firstRunId: string): Promise<BulkHistory> {
  const runs: History[] = [];
  for (let runId: string | undefined = firstRunId; runId !== undefined;) {
    const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    runs.push(events ?? []);
    const last: string | null | undefined =
      events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
    runId = last ?? undefined;
  }
  const all = runs.flat();
  const ends = all.filter((event) => event.workflowExecutionSignaledEventAttributes?.signalName === 'partEnded');
  const part = await client.workflow.getHandle(`${workflowId}/r1-p1`).fetchHistory();
  return {
    runs: runs.length,
    events: all.length,
    longestRun: Math.max(...runs.map((events) => events.length)),
    eventsPerPart: Math.round((all.length / Math.max(1, ends.length)) * 100) / 100,
    signals: ends.length,
    largestPayload: Math.max(...all.map(largestPayloadOf)),
    idle: await idleTimes(client, workflowId),
    eventsOfAPart: part.events?.length ?? 0,
  };
}

/** Each end frees a lane, and the next start that is not taken yet fills it. */
async function idleTimes(client: Client, workflowId: string): Promise<{ p50: number; p95: number }> {
  const starts: number[] = [];
  const ends: number[] = [];
  for await (const { startTime, closeTime } of client.workflow.list({
    query: `WorkflowId STARTS_WITH "${workflowId}/"`,
  })) {
    starts.push(startTime.getTime());
    ends.push(closeTime?.getTime() ?? Infinity);
  }
  starts.sort((a, b) => a - b);
  ends.sort((a, b) => a - b);
  const lanes = starts.filter((start) => start <= (ends[0] ?? 0)).length;
  const gaps = starts.slice(lanes).map((start, index) => Math.max(0, start - ends[index]!));
  gaps.sort((a, b) => a - b);
  const at = (share: number) => Math.round(gaps[Math.min(gaps.length - 1, Math.floor(gaps.length * share))] ?? 0);
  return { p50: at(0.5), p95: at(0.95) };
}

function largestPayloadOf(event: History[number]): number {
  const lists = [
    event.activityTaskScheduledEventAttributes?.input,
    event.activityTaskCompletedEventAttributes?.result,
    event.workflowExecutionSignaledEventAttributes?.input,
    event.workflowExecutionContinuedAsNewEventAttributes?.input,
    event.workflowExecutionCompletedEventAttributes?.result,
    ...Object.values(event.markerRecordedEventAttributes?.details ?? {}),
  ];
  return Math.max(0, ...lists.map((list) => sizeOf(list?.payloads ?? [])));
}

const sizeOf = (payloads: readonly { readonly data?: Uint8Array | null }[]): number =>
  payloads.reduce((sum, { data }) => sum + (data?.length ?? 0), 0);
