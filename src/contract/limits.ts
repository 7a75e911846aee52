/**
 * The limits that the API documents, each in this one place.
 *
 * Source: the OpenAI API reference and guides for batches, files and fine-tuning (OpenAPI document 2.3.0, August 2026).
 * Sizes are bytes, ages are seconds. A provider with other limits overrides them in its own table.
 */

/** Longest line of a JSONL file that is read, in bytes; of a longer one only the length is known. The API documents no limit. */
export const MAX_LINE_BYTES = 32 * 1024 * 1024;

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
  /** Inputs over all requests of a `/v1/embeddings` batch. */
  readonly embeddingInputs: number;
  /** Size of one line, in bytes; a longer one is refused instead of held in memory. */
  readonly lineBytes: number;
  /** Batches that an account may create within an hour. */
  readonly createsPerHour: number;
}

export const BATCH_LIMITS: BatchLimits = {
  requests: 50_000,
  bytes: 200 * 1024 * 1024,
  embeddingInputs: 50_000,
  lineBytes: MAX_LINE_BYTES,
  createsPerHour: 2_000,
};

/** Limits of an uploaded file. */
export const FILE_LIMITS = {
  bytes: 512 * 1024 * 1024,
  /** `expires_after.seconds`: one hour to thirty days. */
  expiresAfterSeconds: { min: 3_600, max: 2_592_000 },
} as const;

/** `metadata` of batches and fine-tuning jobs. One pair is ours: see `job-key.ts`. */
export const METADATA_LIMITS = { pairs: 16, keyLength: 64, valueLength: 512 } as const;

/** Limits of a fine-tuning job and its training file. */
export const FINE_TUNING_LIMITS = {
  integrations: 5,
  suffixLength: { min: 1, max: 64 },
  /** Fewest examples that a training file may hold. */
  minExamples: 10,
  seed: { min: 0, max: 2_147_483_647 },
} as const;

/** Page sizes of the list endpoints: the largest that is asked for. */
export const PAGE_SIZES = { batches: 100, files: 10_000, jobs: 100, events: 100, checkpoints: 100 } as const;

/** Faults that an `InvalidInput` failure lists before it only counts. */
export const MAX_LISTED_FAULTS = 20;
