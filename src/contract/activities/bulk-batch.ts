import type { BatchResult } from '../batch.js';
import type { BulkBatchResult, ParsedBulkBatchSpec } from '../bulk-batch.js';
import type { FileRef } from '../file-ref.js';
import type { BulkPart, PartOutcome, RoundPlan } from '../part.js';
import type { Cancellation } from '../progress.js';

/** The part of the spec that planning and merging need. A field is null if the spec does not set it. */
export interface BulkInput {
  readonly provider: string;
  readonly input: ParsedBulkBatchSpec['input'];
  /**
   * The files of the input as round 1 read them: JSONL of `CheckedFile`, in their order. Every later reading must find
   * the same. Null before round 1 is planned.
   */
  readonly inputFiles: FileRef | null;
  readonly endpoint: string | null;
  readonly missingCustomIds: 'refuse' | 'fromLineNumber';
  readonly outputUri: string | null;
  /** Name of the folder of this bulk batch below the output URI. */
  readonly folder: string;
  readonly split: NonNullable<ParsedBulkBatchSpec['split']>;
  readonly enqueuedTokens: ParsedBulkBatchSpec['enqueuedTokens'] | null;
  /** Limits by model that the provider's refusals have named, in estimated tokens of a part. */
  readonly tokenLimits: Readonly<Record<string, number>>;
  readonly retry: ParsedBulkBatchSpec['retry'];
  readonly schema: Readonly<Record<string, unknown>> | null;
  readonly structuredOutput: ParsedBulkBatchSpec['structuredOutput'];
  /** The ended parts of all rounds so far. */
  readonly done: readonly PartOutcome[];
}

export interface PlanRoundInput extends BulkInput {
  /** From 1. */
  readonly round: number;
  /** Plan these requests alone; null to plan all that may be sent again. */
  readonly only: 'noCredit' | null;
}

export interface SplitPartInput extends Pick<BulkInput, 'provider' | 'outputUri' | 'folder'> {
  readonly round: number;
  readonly part: BulkPart;
  /** Estimated tokens of a new part. A request that has more gets a part to itself. */
  readonly tokens: number;
  /** The number of the first new part. */
  readonly firstNumber: number;
  readonly maxParts: number;
}

export interface PlannedRound {
  /** Empty when nothing is left to send. */
  readonly parts: BulkPart[];
  /** Requests of the whole input. */
  readonly requests: number;
  readonly inputFiles: FileRef;
  readonly plan: RoundPlan;
}

export interface MergeBulkInput extends BulkInput {
  /** The rounds that were run. */
  readonly sent: readonly RoundPlan[];
  /** Sums over all parts. */
  readonly anomalies: BatchResult['anomalies'];
  readonly order: 'input' | 'customId';
  readonly gzip: boolean;
  readonly prices: ParsedBulkBatchSpec['prices'] | null;
  readonly cancellation: Cancellation | null;
  readonly warnings: readonly string[];
}

export interface BulkBatchActivities {
  /**
   * Splits the unanswered requests into parts, each a valid batch input of one model and endpoint. Round 1 checks every
   * line, fails with `InvalidInput` and the first faults, and fixes the files of the input. Later rounds fail with
   * `InputChanged` if one of them is no longer the same.
   */
  planRound(input: PlanRoundInput): Promise<PlannedRound>;
  /** Splits the requests of a part into smaller parts of the same round. Empty if these would be too many. */
  splitPart(input: SplitPartInput): Promise<BulkPart[]>;
  /**
   * The result that a part's run had written before it was cancelled or terminated; null if there is none, or an
   * incomplete one.
   */
  findPartResult(input: { workflowId: string; resultsUri: string }): Promise<BatchResult | null>;
  /**
   * Writes one output and one errors file for all rounds, and the result to `manifest.json`. Fails with `InputChanged`
   * if a file of the input is no longer the same.
   */
  mergeBulk(input: MergeBulkInput): Promise<BulkBatchResult>;
}
