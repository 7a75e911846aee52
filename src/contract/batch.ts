/** The contract of `runBatch`: its argument, its result, its progress. */
import { z } from 'zod';
import { cancellationSchema, type CommonProgress } from './progress.js';
import { fileRefSchema } from './file-ref.js';
import { FILE_LIMITS } from './limits.js';
import { commonSpecFields, durationSchema, idSchema, toMs, uriSchema } from './spec-fields.js';
import { BATCH_ENDS } from './status.js';

/** One request of a batch, as one line of its input file. */
export const batchRequestSchema = z.looseObject({
  custom_id: z.string().min(1),
  method: z.literal('POST').default('POST'),
  url: z.string().min(1),
  body: z.record(z.string(), z.unknown()),
});
export type BatchRequest = z.input<typeof batchRequestSchema>;

const inputSchema = z.union(
  [
    z.strictObject({ fileId: idSchema }),
    z.strictObject({ uri: uriSchema }),
    z.strictObject({ requests: z.array(batchRequestSchema).min(1) }),
  ],
  {
    error: 'must be one of { fileId }, { uri } with a file:// or s3:// URI, or { requests } with at least one request',
  },
);

const { min, max } = FILE_LIMITS.expiresAfterSeconds;
const fileExpirySchema = durationSchema.refine(
  (duration) => toMs(duration) >= min * 1_000 && toMs(duration) <= max * 1_000,
  'must lie between 1 hour and 30 days',
);

/** Argument of `runBatch`. */
export const batchSpecSchema = z.strictObject({
  /** What to run: a file at the provider, a file in storage, or the requests themselves (small inputs only). */
  input: inputSchema,
  /** The endpoint of all requests, such as `/v1/chat/completions`. */
  endpoint: z.string().regex(/^\/[^\s?#]*$/, 'must be a path such as /v1/chat/completions'),
  /** A free string, since providers have windows of their own. Default `'24h'`. */
  completionWindow: z.string().min(1).max(40).default('24h'),
  ...commonSpecFields,
  /** When the provider deletes the output and error files: 1 hour to 30 days after their creation. Default: the provider's. */
  outputExpiresAfter: fileExpirySchema.optional(),
  /** How long a batch may stay without an end after `expires_at`, or after a cancel, before the run fails with `JobStuck`. Default `'2h'`. */
  stuckAfter: durationSchema.default('2h'),
  /** Files to delete at the provider when the run ends, however it ends. The output only after a verified download. */
  cleanup: z.strictObject({ input: z.boolean().default(false), output: z.boolean().default(false) }).optional(),
});
/** What application code writes. */
export type BatchSpec = z.input<typeof batchSpecSchema>;
/** What the workflow works with: defaults filled in. */
export type ParsedBatchSpec = z.output<typeof batchSpecSchema>;

/**
 * The library's second argument of `runBatch`, from a parent workflow that wrote the input file itself: what the
 * pre-flight check would find, so that the file is not read again. `file.uri` is the `input.uri` of the spec.
 */
export const checkedBatchInputSchema = z.strictObject({
  requests: z.number().int().min(1),
  model: z.string().nullable(),
  file: z.strictObject({
    uri: uriSchema,
    bytes: z.number().int().min(1),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
  }),
});
export type CheckedBatchInput = z.output<typeof checkedBatchInputSchema>;

const timestamp = z.number().nullable();

/** How the lines of the input ended. The first four sum to the lines of the input. */
export const lineCountsSchema = z.object({
  /** Answered with a 2xx. */
  succeeded: z.number().int(),
  /** Answered with an error. */
  failed: z.number().int(),
  /** Not answered because the batch expired or was cancelled. */
  unfinished: z.number().int(),
  /** In neither of the provider's files. */
  missing: z.number().int(),
});
export type LineCounts = z.infer<typeof lineCountsSchema>;

/** What was odd about the provider's files. */
export const anomaliesSchema = z.object({
  /** Lines with a `custom_id` that had been answered already; counted once. */
  duplicates: z.number().int(),
  /** Lines with a `custom_id` that the input does not have. */
  unknownIds: z.number().int(),
  /** Lines that are not JSON, such as a cut last one. */
  unreadable: z.number().int(),
});

export const tokenUsageSchema = z.object({
  inputTokens: z.number(),
  outputTokens: z.number(),
  totalTokens: z.number(),
});
export type TokenUsage = z.infer<typeof tokenUsageSchema>;

/** Result of `runBatch`: a manifest; the bodies are in the files. Times are epoch seconds. */
export const batchResultSchema = z.object({
  status: z.enum(BATCH_ENDS).exclude(['failed']),
  /** Null when the run was cancelled before the batch was created. */
  batchId: z.string().nullable(),
  model: z.string().nullable(),
  /** The provider's own counts; they need not sum. */
  requestCounts: z.object({ total: z.number(), completed: z.number(), failed: z.number() }),
  /** Our account of the input, line by line. */
  lines: lineCountsSchema,
  anomalies: anomaliesSchema,
  /** Successful lines, each `custom_id` once; null when there is none. */
  output: fileRefSchema.nullable(),
  /** Failed, unfinished and missing lines; null when there is none. */
  errors: fileRefSchema.nullable(),
  /** Tokens of the successful lines. */
  usage: tokenUsageSchema,
  timestamps: z.object({
    createdAt: timestamp,
    inProgressAt: timestamp,
    finalizingAt: timestamp,
    endedAt: timestamp,
    expiresAt: timestamp,
  }),
  cancellation: cancellationSchema.nullable(),
  /** What a person should know: unknown statuses, lost files, lines that do not add up. */
  warnings: z.array(z.string()),
});
export type BatchResult = z.infer<typeof batchResultSchema>;

/** Answer of the `progress` query of `runBatch`. */
export interface BatchProgress extends CommonProgress {
  /** The provider's own counts; they need not sum. */
  readonly counts: { readonly total: number; readonly completed: number; readonly failed: number };
  /** Epoch seconds; null where the provider gives none. */
  readonly expiresAt: number | null;
}
