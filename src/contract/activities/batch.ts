import type { BatchResult, ParsedBatchSpec } from '../batch.js';
import type { CheckedFile } from '../checked-file.js';
import type { Cancellation } from '../progress.js';
import type { BatchSnapshot } from '../snapshots.js';
import type {
  CancelInput,
  CancelReply,
  CreatedOnce,
  CreateOnceInput,
  Duplicates,
  InterruptedCreate,
  JobSearch,
  Sighting,
  WatchInput,
} from './jobs.js';

export interface CheckBatchInputInput {
  readonly provider: string;
  readonly input: ParsedBatchSpec['input'];
  readonly endpoint: string;
  /** Whether faults of lines are reported. */
  readonly check: boolean;
  /** Where inline requests and results are written; null for the worker's first storage root. */
  readonly outputUri: string | null;
  /** Name of the file of inline requests. */
  readonly filename: string;
}

/** An input that was checked: a file in storage that is still to be uploaded, or a file at the provider. */
export type CheckedInput = {
  /** Number of requests; null if the file is at the provider and cannot be downloaded. */
  readonly requests: number | null;
  readonly model: string | null;
  /** A rough estimate of the prompt tokens; absent where the lines could not be read. */
  readonly estimatedTokens?: number;
} & (
  { readonly fileId: string; readonly file?: undefined } | { readonly fileId?: undefined; readonly file: CheckedFile }
);

/** What a batch enqueues. */
export interface EnqueuedBatch {
  readonly model: string;
  readonly tokens: number;
  readonly requests: number;
}

export interface CreateBatchInput extends CreateOnceInput {
  /** What the token budget is to count, if there is one; null where a bulk batch has asked it, or it is not known. */
  readonly counted: EnqueuedBatch | null;
  readonly inputFileId: string;
  readonly endpoint: string;
  readonly completionWindow: string;
  readonly extraBody: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Seconds; null for the provider's default. */
  readonly outputExpiresAfterSeconds: number | null;
}

export interface WatchBatchInput extends WatchInput {
  /**
   * Whether the workflow knows that half of the requests are done. This is the only change besides the status that it
   * learns of.
   */
  readonly isHalfDone: boolean;
}

export interface CollectBatchInput {
  readonly provider: string;
  readonly batch: BatchSnapshot;
  /** Milliseconds for which incomplete results of an ended job are read again; 0 for a job that has not ended. */
  readonly settleForMs: number;
  readonly input: CheckedInput;
  /** Where results are written, as `<outputUri>/<batch id>/…`; null for the worker's first storage root. */
  readonly outputUri: string | null;
  readonly cancellation: Cancellation | null;
  readonly warnings: readonly string[];
  /** Whether the run is a part of a bulk batch, whose result nobody looks for. */
  readonly isPart?: boolean;
}

/** The result, with any status of a batch: one that is stuck has not ended. */
export type CollectedBatch = Omit<BatchResult, 'status'> & { readonly status: string };

export interface CollectedBatchFiles {
  readonly result: CollectedBatch;
  /**
   * The result files at the provider, if they were read whole and agree with the counts, so that they may be deleted;
   * empty otherwise.
   */
  readonly readWhole: readonly string[];
}

export interface BatchActivities {
  /** Checks every line; fails with `InvalidInput` and the first faults. Inline requests become a file in storage. */
  checkBatchInput(input: CheckBatchInputInput): Promise<CheckedInput>;
  /** Creates the batch, or adopts the one that an earlier attempt created. */
  createBatch(input: CreateBatchInput): Promise<CreatedOnce<BatchSnapshot>>;
  /** The oldest batch of the run, or null: after a create whose outcome is unknown. */
  findBatch(input: InterruptedCreate): Promise<BatchSnapshot | null>;
  /** Cancels batches of the run, all but the one that it follows. */
  cancelDuplicateBatches(input: JobSearch & { readonly id: string }): Promise<Duplicates>;
  /** Returns when the batch has changed; until then fails as `NothingNew`, with the delay until the next poll. */
  watchBatch(input: WatchBatchInput): Promise<Sighting<BatchSnapshot>>;
  /**
   * Asks the provider to cancel, and returns the batch as it is then. One that has ended is left unchanged.
   */
  cancelBatch(input: CancelInput): Promise<CancelReply<BatchSnapshot>>;
  /**
   * Downloads the output and error files, writes each line of the input exactly once to `output.jsonl` or
   * `errors.jsonl`, and writes the result to `manifest.json`.
   */
  collectBatchResults(input: CollectBatchInput): Promise<CollectedBatchFiles>;
}
