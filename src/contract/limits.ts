/**
 * The limits that the API documents. Sizes are bytes, durations are seconds. A provider with other limits overrides
 * them by its `batchLimits`.
 *
 * Source: the OpenAI API reference and guides for batches, files and fine-tuning (OpenAPI document 2.3.0, August 2026).
 */

/**
 * Longest line of a JSONL file that is read, in bytes; of a longer one only the length is known. The API documents no
 * limit.
 */
export const MAX_LINE_BYTES = 32 * 1024 * 1024;

/**
 * Longest line of a result file that is read as an answer, in bytes: JavaScript has no longer strings. Of a longer line,
 * only the bytes are kept.
 */
export const MAX_RESULT_LINE_BYTES = 2 ** 29 - 32;

/** Longest `custom_id`, in UTF-16 units. The API documents no limit. */
export const MAX_CUSTOM_ID_LENGTH = 512;

/** A rough estimate of the prompt tokens in so many bytes of requests: one for four bytes. */
export function estimatedTokensOf(bytes: number): number {
  return Math.ceil(bytes / 4);
}

/** Limits of one batch and its input file. */
export interface BatchLimits {
  /** Requests (lines) in one input file. */
  readonly requests: number;
  /** Size of the input file, in bytes. */
  readonly bytes: number;
  /** Embedding inputs of all requests of a `/v1/embeddings` batch together. */
  readonly embeddingInputs: number;
  /** Size of one line, in bytes. A longer line is refused instead of being held in memory. */
  readonly lineBytes: number;
  /** Batches that an account may create within an hour. */
  readonly createsPerHour: number;
  /**
   * Share of the limits of enqueued tokens and requests that bulk batches leave to other users of the account, from 0 to
   * 0.9.
   */
  readonly reservedShare: number;
}

/** The limits of OpenAI. */
export const BATCH_LIMITS: BatchLimits = {
  requests: 50_000,
  bytes: 200 * 1024 * 1024,
  embeddingInputs: 50_000,
  lineBytes: MAX_LINE_BYTES,
  createsPerHour: 2_000,
  reservedShare: 0,
};

/** Limits of an uploaded file. */
export const FILE_LIMITS = {
  bytes: 512 * 1024 * 1024,
  /** `expires_after.seconds`: one hour to thirty days. */
  expiresAfterSeconds: { min: 3_600, max: 2_592_000 },
} as const;

/** Limits of the `metadata` of batches and fine-tuning jobs. One pair is reserved, see `job-key.ts`. */
export const METADATA_LIMITS = { pairs: 16, keyLength: 64, valueLength: 512 } as const;

/** Limits of a fine-tuning job and its training file. */
export const FINE_TUNING_LIMITS = {
  integrations: 5,
  suffixLength: { min: 1, max: 64 },
  /** Minimum number of examples in a training file. */
  minExamples: 10,
  seed: { min: 0, max: 2_147_483_647 },
} as const;

/** Objects per page that are requested of the list endpoints. */
export const PAGE_SIZES = { batches: 100, files: 10_000, jobs: 100, events: 100, checkpoints: 100 } as const;

/** Maximum number of faults that an `InvalidInput` failure lists. Further faults are only counted. */
export const MAX_LISTED_FAULTS = 20;
