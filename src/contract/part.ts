/** A part of a bulk batch: requests of one model and endpoint that make up the input of one batch. */
import type { LineCounts } from './batch.js';
import type { FileRef } from './file-ref.js';

export interface PartHead {
  /** From 1, in the order in which parts begin. */
  readonly number: number;
  readonly model: string;
  readonly endpoint: string;
}

/** A part as it was written to storage. */
export interface Part extends PartHead {
  readonly file: FileRef;
  readonly requests: number;
  readonly embeddingInputs: number;
  readonly estimatedTokens: number;
}

/** A part to be submitted as one batch. */
export interface BulkPart extends Part {
  /** Where the results of its batch land. */
  readonly resultsUri: string;
}

/** How a part ended. */
export interface PartOutcome {
  /** From 1. */
  readonly round: number;
  readonly part: number;
  readonly model: string;
  readonly requests: number;
  readonly batchId: string | null;
  readonly status: string;
  /** URI of the output file; null when no request succeeded. */
  readonly output: string | null;
  /** URI of the errors file; null when every request succeeded. */
  readonly errors: string | null;
  readonly lines: LineCounts;
  /** The failure of its run, by type; null where it did not fail. Final: its requests are not sent again. */
  readonly failure: { readonly type: string; readonly message: string; readonly isFinal: boolean } | null;
}
