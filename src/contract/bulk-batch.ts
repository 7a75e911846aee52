/** The contract of `runBulkBatch`: its argument, its result, its progress. */
import { z } from 'zod';
import { lineCountsSchema, tokenUsageSchema } from './batch.js';
import { fileRefSchema } from './file-ref.js';
import { cancellationSchema, type CommonProgress } from './progress.js';
import { commonSpecFields, durationSchema, uriSchema } from './spec-fields.js';

const inputSchema = z.union(
  [
    z.strictObject({ uri: uriSchema }),
    z.strictObject({ uris: z.array(uriSchema).min(1).max(1_000) }),
    z.strictObject({ prefix: uriSchema }),
  ],
  { error: 'must be one of { uri }, { uris } or { prefix }, with file:// or s3:// URIs' },
);

const positive = z.number().int().min(1);
const price = z.strictObject({ inputPerMillion: z.number().nonnegative(), outputPerMillion: z.number().nonnegative() });

/** Argument of `runBulkBatch`. */
export const bulkBatchSpecSchema = z.strictObject({
  /** One JSONL file of requests, several, or all below a prefix (by name); gzip is recognised. Models and endpoints may be mixed. */
  input: inputSchema,
  /** The endpoint that every request must have. Default: each request's own `url`, and each endpoint becomes batches of its own. */
  endpoint: z
    .string()
    .regex(/^\/[^\s?#]*$/, 'must be a path such as /v1/chat/completions')
    .optional(),
  /** Requests without a `custom_id`: refused, or given `line-<n>` by their line over all files. Default `'refuse'`. */
  missingCustomIds: z.enum(['refuse', 'fromLineNumber']).default('refuse'),
  completionWindow: z.string().min(1).max(40).default('24h'),
  ...commonSpecFields,
  stuckAfter: durationSchema.default('2h'),
  /** Limits of a part below the provider's own. */
  split: z
    .strictObject({ requests: positive.optional(), bytes: positive.optional(), estimatedTokens: positive.optional() })
    .optional(),
  /** Batches at once. Default 10. */
  maxParallel: z.number().int().min(1).max(200).default(10),
  /** Times that a request is tried at most. Default 3. */
  maxRounds: z.number().int().min(1).max(20).default(3),
  /** Which answers are tried again in a further round. Unfinished and missing ones always are. */
  retry: z
    .strictObject({
      /** 429, 5xx and `status_code` 0. Default true. */
      failed: z.boolean().default(true),
      /** Answers cut by their length. Default false. */
      truncated: z.boolean().default(false),
    })
    .default({ failed: true, truncated: false }),
  /** JSON schema that the structured output of every answer must fit; one that does not is tried again. */
  schema: z.record(z.string(), z.unknown()).optional(),
  /** Order of the merged output. Default `'input'`. */
  order: z.enum(['input', 'customId']).default('input'),
  /** Compress the merged files. Default false. */
  gzip: z.boolean().default(false),
  /** Prices by model, in any currency per million tokens, for `cost`. */
  prices: z.record(z.string(), price).optional(),
  /**
   * Prompt tokens that may be enqueued at once, for every model or by model, shared by all runs of the provider on this namespace.
   * Default: learnt from the provider's refusals.
   */
  enqueuedTokens: z.union([positive, z.record(z.string(), positive)]).optional(),
  /** Files to delete at the provider when a batch ends. Default: the input. */
  cleanup: z
    .strictObject({ input: z.boolean().default(true), output: z.boolean().default(false) })
    .default({ input: true, output: false }),
});
export type BulkBatchSpec = z.input<typeof bulkBatchSpecSchema>;
export type ParsedBulkBatchSpec = z.output<typeof bulkBatchSpecSchema>;

/** Result of `runBulkBatch`: a manifest; the bodies are in the files. */
export const bulkBatchResultSchema = z.object({
  status: z.enum(['completed', 'cancelled']),
  /** Requests of the input. */
  requests: z.number().int(),
  /** How they ended, each once; the four sum to `requests`. */
  lines: lineCountsSchema,
  rounds: z.number().int(),
  batches: z.number().int(),
  /** Answers, each `custom_id` once, in the order asked for. */
  output: fileRefSchema.nullable(),
  /** What remains without an answer, each with the reason of its last round. */
  errors: fileRefSchema.nullable(),
  /** Every part of every round, with its batch and its counts, as JSONL. */
  parts: fileRefSchema.nullable(),
  /** Tokens by model over all rounds, each line's counted exactly once as often as it was paid for. */
  usage: z.record(z.string(), tokenUsageSchema),
  /** By the spec's prices; null without them. */
  cost: z.object({ total: z.number(), byModel: z.record(z.string(), z.number()) }).nullable(),
  cancellation: cancellationSchema.nullable(),
  warnings: z.array(z.string()),
});
export type BulkBatchResult = z.infer<typeof bulkBatchResultSchema>;

/** Answer of the `progress` query of `runBulkBatch`. */
export interface BulkBatchProgress extends CommonProgress {
  readonly round: number;
  readonly parts: {
    readonly total: number;
    readonly waiting: number;
    readonly running: number;
    readonly done: number;
  };
  /** Requests by what became of them in the batches that have ended. */
  readonly lines: z.infer<typeof lineCountsSchema>;
  /** Why a part is not submitted yet, if one is waiting for room. */
  readonly waitingFor: string | null;
}
