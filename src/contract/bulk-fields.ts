/** Fields of the spec of `runBulkBatch` that have fields of their own. */
import * as z from 'zod';

const positive = z.number().int().min(1);
const amount = z.number().nonnegative();
const priceFields = {
  /** A million tokens of prompts. */
  inputPerMillion: amount,
  /** A million tokens of answers. */
  outputPerMillion: amount,
  /**
   * A million tokens of prompts that the provider read from its cache.
   * @default the price of other input
   */
  cachedInputPerMillion: amount.optional(),
  /**
   * A million tokens that the model thought.
   * @default the price of other output
   */
  reasoningPerMillion: amount.optional(),
} as const;

export type BulkPriceSchema = z.ZodObject<typeof priceFields, z.core.$strict>;
export const bulkPriceSchema: BulkPriceSchema = z.strictObject(priceFields);

const retryFields = {
  /**
   * Requests that failed with a passing error: status 408, 409, 429, 5xx or none, or a code that says so, such as
   * `server_error`. Also those that failed for want of credit.
   *
   * @default true
   */
  failed: z.boolean().default(true),
  /**
   * Codes and types of errors (compared without regard to case), and HTTP statuses, that count as passing in addition: at most 100.
   *
   * @default []
   * @example ['internal_failure', 424]
   */
  codes: z
    .array(z.union([z.string().min(1).max(200), z.number().int()]))
    .max(100)
    .default([]),
  /**
   * Requests whose answer has a text that does not fit `schema`.
   *
   * @default true
   */
  mismatched: z.boolean().default(true),
  /**
   * Requests whose answer was cut off by the token limit. Without this, such an answer is a success, unless it does not
   * fit `schema`.
   *
   * @default false
   */
  truncated: z.boolean().default(false),
  /**
   * Requests that the model refused to answer.
   *
   * @default false
   */
  refused: z.boolean().default(false),
  /**
   * Requests that were stopped by a content filter.
   *
   * @default false
   */
  filtered: z.boolean().default(false),
  /**
   * Requests whose answer has no text where `schema` looks for it, such as an answer that only calls a tool.
   *
   * @default false
   */
  noText: z.boolean().default(false),
  /**
   * Requests without a line, of a batch that returned lines that cannot be read or matched to a request.
   *
   * @default false
   */
  unreadable: z.boolean().default(false),
  /**
   * Requests without a line, of a batch that was completed or whose counts say that they were answered.
   *
   * @default false
   */
  undelivered: z.boolean().default(false),
} as const;

export type RetrySchema = z.ZodObject<typeof retryFields, z.core.$strict>;
/**
 * Which requests are sent again in the next round, besides those that the provider did not run because their batch
 * expired, was cancelled or failed. A request that was answered is paid for again.
 */
export const retrySchema: RetrySchema = z.strictObject(retryFields);

const splitFields = {
  /** Requests of a part. */
  requests: positive.optional(),
  /** Size of a part, in bytes. */
  bytes: positive.optional(),
  /** Prompt tokens of a part, estimated as one for four bytes. */
  estimatedTokens: positive.optional(),
} as const;
export type SplitSchema = z.ZodObject<typeof splitFields, z.core.$strict>;
export const splitSchema: SplitSchema = z.strictObject(splitFields);

const cleanupFields = {
  /**
   * The inputs that were uploaded.
   * @default true
   */
  input: z.boolean().default(true),
  /**
   * The output and error files, after a verified download.
   * @default false
   */
  output: z.boolean().default(false),
} as const;
export type BulkCleanupSchema = z.ZodObject<typeof cleanupFields, z.core.$strict>;
export const bulkCleanupSchema: BulkCleanupSchema = z.strictObject(cleanupFields);
