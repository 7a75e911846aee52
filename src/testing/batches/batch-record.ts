import { passedTransitions, type ReadCounters } from '../job-reads.js';
import type { BatchScenario } from './batch-scenario.js';
import { answeredAt, batchTimeline, type BatchTransition, type TimelineInputs } from './batch-timeline.js';
import type { BatchPlan } from './batch-timing.js';
import type { Inspection } from './inspect-input.js';
import type { ResultUsage } from './write-results.js';

/** What `batches.create` was called with, checked. */
export interface BatchParams {
  readonly inputFileId: string;
  readonly endpoint: string;
  readonly completionWindow: string;
  readonly metadata: Record<string, string> | null;
  /** Seconds; null: 30 days. */
  readonly outputExpiresAfter: number | null;
}

export interface BatchResults {
  readonly usage: ResultUsage;
  readonly outputFileId: string | null;
  readonly errorFileId: string | null;
}

/** Everything that is known of one batch. Its state at a given time is derived, see `batch-timeline.ts`. */
export interface BatchRecord {
  readonly id: string;
  /** Epoch ms. */
  readonly createdAt: number;
  readonly params: BatchParams;
  readonly plan: BatchPlan;
  readonly scenario: BatchScenario;
  readonly reads: ReadCounters;
  /** Epoch ms of the first accepted cancel. */
  cancelledAt: number | null;
  /** Null until validation ends. */
  inspection: Inspection | null;
  /** How many of the first n answered requests fail, for n = 0 … total; null until validation ends. */
  failedAmongFirst: Uint32Array | null;
  /** Null until the batch ends. */
  results: BatchResults | null;
}

function timelineInputs({ createdAt, plan, scenario, inspection, cancelledAt }: BatchRecord): TimelineInputs {
  return {
    createdAt,
    plan,
    refused: (inspection?.errors.length ?? 0) > 0 || scenario.failWith !== undefined,
    cancelledAt,
    stuckIn: scenario.stuckIn ?? [],
    cancelLosesRace: scenario.cancelLosesRace ?? false,
  };
}

/** All transitions, past and future, as far as it is decided. */
export function plannedBatchTransitions(record: BatchRecord): BatchTransition[] {
  return batchTimeline(timelineInputs(record));
}

/** The transitions that have happened at `now`. Never empty. */
export function batchTransitions(record: BatchRecord, now: number): BatchTransition[] {
  return passedTransitions(plannedBatchTransitions(record), now);
}

/** The last transition that has happened at `now`. */
export const batchStateAt = (record: BatchRecord, now: number): BatchTransition =>
  batchTransitions(record, now).at(-1)!;

/** How many requests are answered at `now`. */
export function answeredRequests(record: BatchRecord, now: number): number {
  return answeredAt(timelineInputs(record), record.inspection?.total ?? 0, now);
}

/** The epoch ms at which the input file is checked; undefined if the batch ends or is stuck before. */
export function inspectionDue({ createdAt, plan, scenario, cancelledAt }: BatchRecord): number | undefined {
  const at = createdAt + plan.validatingMs;
  const cancelled = cancelledAt !== null && cancelledAt < at;
  const stuck = scenario.stuckIn?.includes('validating') ?? false;
  return cancelled || stuck || at > plan.expiresAt ? undefined : at;
}
