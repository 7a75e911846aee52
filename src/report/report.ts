/** What a report is made of. It is put together by the caller, who knows Temporal. Times are epoch seconds. */
import type { BatchProgress, BatchResult, LineCounts } from '../contract/batch.js';
import type { BulkBatchProgress, BulkBatchResult } from '../contract/bulk-batch.js';
import type { ShownFailure } from '../contract/failure-facts.js';
import type { FineTuningProgress, FineTuningResult } from '../contract/fine-tuning.js';
import type { PartOutcome } from '../contract/part.js';
import type { FailureReasons } from './failure-reasons.js';
import type { StepMetrics } from './step-metrics.js';

/** What every run has. */
export interface ReportedRun {
  /** The workflow id; the id of the job where Temporal no longer knows the run. */
  readonly id: string;
  /** Temporal's status, such as `RUNNING`; null where Temporal no longer knows the run. */
  readonly runStatus: string | null;
  readonly startedAt: number | null;
  /** Null while the run is open. */
  readonly endedAt: number | null;
  /** When the report was made. */
  readonly madeAt: number;
  /** What the spec says; null where it is not known. */
  readonly spec: {
    readonly provider: string | null;
    readonly endpoint: string | null;
    readonly model: string | null;
    readonly input: string | null;
  };
  /** Null where the run did not fail. */
  readonly failure: (ShownFailure & { readonly next: string | null }) | null;
  /** What the report lacks and why, a sentence each. */
  readonly notes: readonly string[];
  readonly cost: ReportedCost | null;
}

export interface ReportedCost {
  readonly total: number;
  readonly byModel: readonly (readonly [model: string, cost: number])[];
  /** Models without a price. */
  readonly unpriced: readonly string[];
  /** Where the prices are from, such as `in USD, by the prices of the configuration`. */
  readonly basis: string;
}

export interface BatchReport extends ReportedRun {
  readonly kind: 'batch';
  /** Null where the run does not tell. */
  readonly progress: BatchProgress | null;
  /** Null where there is none yet. */
  readonly result: BatchResult | null;
  readonly reasons: FailureReasons | null;
}

export interface BulkReport extends ReportedRun {
  readonly kind: 'bulkBatch';
  readonly progress: BulkBatchProgress | null;
  readonly result: BulkBatchResult | null;
  readonly reasons: FailureReasons | null;
  readonly parts: readonly ReportedPart[];
}

/** An attempt of a part: a run of its own. */
export interface ReportedPart {
  readonly round: number;
  readonly part: number;
  /** From 1. A further attempt follows a refusal for want of room or credit. */
  readonly attempt: number;
  readonly state: PartState;
  readonly batchId: string | null;
  /** Null where it is not known. */
  readonly model: string | null;
  readonly lines: LineCounts | null;
  readonly failure: PartOutcome['failure'];
  /** Null where Temporal no longer knows the run. */
  readonly startedAt: number | null;
  /** Null while the run is open, too. */
  readonly endedAt: number | null;
}

export const PART_STATES = ['running', 'completed', 'expired', 'cancelled', 'failed'] as const;
export type PartState = (typeof PART_STATES)[number];

export interface FineTuningReport extends ReportedRun {
  readonly kind: 'fineTuning';
  readonly progress: FineTuningProgress | null;
  readonly result: FineTuningResult | null;
  readonly metrics: StepMetrics | null;
}

export type Report = BatchReport | BulkReport | FineTuningReport;
