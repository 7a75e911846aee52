import type { ReadCounters } from '../read-scenario.js';
import type { Results } from './write-results.js';
import type { BatchScenario } from './batch-scenario.js';
import { answeredAt, batchTimeline, passed, type BatchTransition, type TimelineInputs } from './batch-timeline.js';
import type { BatchPlan } from './batch-timing.js';
import { batchError, type Inspection } from './inspect-input.js';

/** What `batches.create` was given, checked. */
export interface BatchOrder {
  readonly inputFileId: string;
  readonly endpoint: string;
  readonly completionWindow: string;
  readonly metadata: Record<string, string> | null;
  /** Seconds; undefined: 30 days. */
  readonly outputExpiresAfter: number | undefined;
}

/** Everything that is known of one batch. Its state at a time is derived, see `batch-timeline.ts`. */
export interface BatchRecord {
  readonly id: string;
  readonly order: BatchOrder;
  readonly plan: BatchPlan;
  readonly scenario: BatchScenario;
  /** Epoch ms. */
  cancelledAt: number | undefined;
  /** Known from the moment at which validation ends. */
  inspection: Inspection | undefined;
  /** Requests that will have failed when the first n are answered, for n = 0 … total. */
  failedAmongFirst: Uint32Array | undefined;
  /** Known from the end of the batch on. */
  results: (Results & { outputFileId: string | undefined; errorFileId: string | undefined }) | undefined;
  /** Reads that scenarios have counted. */
  readonly reads: ReadCounters;
}

export function timelineInputs(record: BatchRecord): TimelineInputs {
  return {
    plan: record.plan,
    refused: (record.inspection?.errors.length ?? 0) > 0 || record.scenario.failWith !== undefined,
    cancelledAt: record.cancelledAt,
    stuckIn: record.scenario.stuckIn ?? [],
    cancelLosesRace: record.scenario.cancelLosesRace ?? false,
  };
}

export function timelineOf(record: BatchRecord): BatchTransition[] {
  return batchTimeline(timelineInputs(record));
}

/** The last transition before or at `now`. */
export function stateAt(record: BatchRecord, now: number): BatchTransition {
  return passed(timelineOf(record), now).at(-1)!;
}

export function answeredBy(record: BatchRecord, now: number): number {
  return answeredAt(timelineInputs(record), record.inspection?.total ?? 0, now);
}

/** The epoch ms at which the file is checked, if the batch lives until then. */
export function inspectionDue(record: BatchRecord): number | undefined {
  const at = record.plan.createdAt + record.plan.validatingMs;
  const stopped = record.cancelledAt !== undefined && record.cancelledAt < at;
  if (stopped || at > record.plan.expiresAt || (record.scenario.stuckIn ?? []).includes('validating')) return undefined;
  return at;
}

/** An inspection without lines, for files that cannot be read at all. */
export function refusedInspection(code: string, message: string, param: string | null = null): Inspection {
  return {
    errors: [batchError(code, message, param)],
    model: null,
    total: 0,
    promptTokens: 0,
    offsets: new Float64Array(),
    lengths: new Uint32Array(),
    fails: new Uint8Array(),
  };
}
