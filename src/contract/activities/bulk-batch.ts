import type { BatchResult } from '../batch.js';
import type { BulkBatchResult, ParsedBulkBatchSpec } from '../bulk-batch.js';
import type { FileRef } from '../file-ref.js';
import type { Part, PartOutcome, RoundPlan } from '../part.js';
import type { Cancellation } from '../progress.js';

/** Where the files of a bulk batch are. */
export interface BulkFolder {
  /** Null for the default root of the storage. */
  readonly outputUri: string | null;
  /** Name of the folder of this bulk batch below the output URI. */
  readonly folder: string;
}

/** The part of the spec that planning and merging need. A field is null if the spec does not set it. */
export interface BulkInput extends BulkFolder {
  readonly provider: string;
  readonly input: ParsedBulkBatchSpec['input'];
  /**
   * The files of the input as round 1 read them: JSONL of `CheckedFile`, in their order. Every later reading must find
   * the same. Null before round 1 is planned.
   */
  readonly inputFiles: FileRef | null;
  readonly endpoint: string | null;
  readonly missingCustomIds: 'refuse' | 'fromLineNumber';
  readonly split: NonNullable<ParsedBulkBatchSpec['split']>;
  readonly enqueuedTokens: ParsedBulkBatchSpec['enqueuedTokens'] | null;
  /** Limits by model that the provider's refusals have named, in estimated tokens of a part. */
  readonly tokenLimits: Readonly<Record<string, number>>;
  readonly retry: ParsedBulkBatchSpec['retry'];
  readonly schema: Readonly<Record<string, unknown>> | null;
  readonly structuredOutput: ParsedBulkBatchSpec['structuredOutput'];
  /** How many files of outcomes there are: with `unsaved`, they have a line for each part that has ended. */
  readonly outcomeFiles: number;
  /** Outcomes that are in none of the files, too few for a file of their own. */
  readonly unsaved: readonly PartOutcome[];
}

export interface PlanRoundInput extends BulkInput {
  /** From 1. */
  readonly round: number;
  /** Plan these requests alone; null to plan all that may be sent again. */
  readonly only: 'noCredit' | null;
}

export interface SplitPartInput extends BulkFolder {
  readonly provider: string;
  readonly round: number;
  readonly part: Part;
  /** Estimated tokens of a new part. A request that has more gets a part to itself. */
  readonly tokens: number;
  /** The number of the first new part. */
  readonly firstNumber: number;
  readonly maxParts: number;
  /** Name of the list of the new parts. */
  readonly list: string;
}

export interface PlannedRound {
  /** Number of parts in the list of the round; 0 when nothing is left to send. */
  readonly parts: number;
  /** The first parts of the list. */
  readonly firstParts: readonly Part[];
  /** Requests of the whole input. */
  readonly requests: number;
  /** Null where the bulk batch was merged before, and then reset. */
  readonly inputFiles: FileRef | null;
  readonly plan: RoundPlan;
  /** URI of the folder for the results of the parts' batches. */
  readonly resultsUri: string;
}

export interface ReadPartsInput extends BulkFolder {
  readonly round: number;
  /** Name of the list. */
  readonly list: string;
  /** Index of the first part, from 0. */
  readonly from: number;
  readonly count: number;
}

export interface RecordOutcomesInput extends BulkFolder {
  /** Number of the file, from 1. */
  readonly number: number;
  readonly outcomes: readonly PartOutcome[];
}

export interface MergeBulkInput extends BulkInput {
  /** The rounds that were run. */
  readonly sent: readonly RoundPlan[];
  /** Number of parts that have ended. */
  readonly batches: number;
  /** Sums over all parts. */
  readonly anomalies: BatchResult['anomalies'];
  readonly order: 'input' | 'customId';
  readonly gzip: boolean;
  readonly keepParts: boolean;
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
  /**
   * Splits the requests of a part into smaller parts of the same round, and returns their number; 0 if these would be
   * too many.
   */
  splitPart(input: SplitPartInput): Promise<number>;
  /** Reads a page of a list of parts. */
  readParts(input: ReadPartsInput): Promise<Part[]>;
  /** Writes the outcomes of parts that have ended to a file, so that no history and no argument has to carry them. */
  recordOutcomes(input: RecordOutcomesInput): Promise<void>;
  /**
   * Writes one output and one errors file for all rounds, and the result to `manifest.json`. Fails with `InputChanged`
   * if a file of the input is no longer the same.
   */
  mergeBulk(input: MergeBulkInput): Promise<BulkBatchResult>;
}
