/** The contract of `runBatch`: its spec, its result, its progress. */
import * as z from 'zod';
import { cancellationSchema, type CommonProgress } from './progress.js';
import { fileRefSchema } from './file-ref.js';
import { FILE_LIMITS } from './limits.js';
import { toMs } from './duration.js';
import {
  BATCH_CREATE_FIELDS,
  commonSpecFields,
  durationSchema,
  endpointSchema,
  extraBodySchema,
  idSchema,
  uriSchema,
} from './spec-fields.js';
import { BATCH_ENDS } from './status.js';

const batchRequestFields = {
  /** Names the request in the results: 1 to 512 characters, unique in the batch. */
  custom_id: z.string().min(1),
  /**
   * The only method that batches have.
   * @default 'POST'
   */
  method: z.literal('POST').default('POST'),
  /** Path of the endpoint, such as `/v1/chat/completions`; the same for all requests of a batch. */
  url: z.string().min(1),
  /** The body as the endpoint takes it, without `stream`. */
  body: z.record(z.string(), z.unknown()),
} as const;

export type BatchRequestSchema = z.ZodObject<typeof batchRequestFields, z.core.$loose>;
/** One request of a batch: one line of its input file. */
export const batchRequestSchema: BatchRequestSchema = z.looseObject(batchRequestFields);
/** One request of a batch: one line of its input file. Further fields are kept. */
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
  'must be between 1 hour and 30 days',
);

const cleanupFields = {
  /**
   * The input, if the run has uploaded it.
   * @default false
   */
  input: z.boolean().default(false),
  /**
   * The output and error files, after a verified download.
   * @default false
   */
  output: z.boolean().default(false),
} as const;
const cleanupSchema: z.ZodObject<typeof cleanupFields, z.core.$strict> = z.strictObject(cleanupFields);

const batchSpecFields = {
  /** The requests: a file in storage, a file at the provider, or the requests themselves (at most 1.5 MB). */
  input: inputSchema,
  /** Path of the endpoint that all requests have, such as `/v1/chat/completions`. */
  endpoint: endpointSchema,
  /**
   * How long the provider may take. Any text of 1 to 40 characters is accepted, since providers differ in the windows they
   * offer.
   *
   * @default '24h'
   */
  completionWindow: z.string().min(1).max(40).default('24h'),
  /**
   * Further fields of the create request, for providers that need them.
   *
   * @default none
   * @example { priority: 'low' }
   */
  extraBody: extraBodySchema(BATCH_CREATE_FIELDS).optional(),
  /**
   * Whether to check every line before the upload. Without it, only the provider checks them.
   *
   * @default true
   */
  check: z.boolean().default(true),
  /**
   * When the provider deletes the output and error files: 1 hour to 30 days after their creation.
   *
   * @default the provider's own rule
   */
  outputExpiresAfter: fileExpirySchema.optional(),
  /**
   * How long after `expires_at`, or after a cancel, the batch may take to reach a terminal status. Then the run fails
   * with `JobStuck`.
   *
   * @default '2h'
   */
  stuckAfter: durationSchema.default('2h'),
  /**
   * Which files to delete at the provider when the run ends, whatever its outcome. Output files are deleted only after
   * a verified download.
   *
   * @default neither
   */
  cleanup: cleanupSchema.optional(),
} as const;

/** The spec of `runBatch`, its only argument. */
export const batchSpecSchema: z.ZodObject<typeof commonSpecFields & typeof batchSpecFields, z.core.$strict> =
  z.strictObject({ ...batchSpecFields, ...commonSpecFields });
/** A spec as application code writes it. */
export type BatchSpec = z.input<typeof batchSpecSchema>;
/** A spec after validation, with defaults filled in. */
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
  /** Set for a part of a bulk batch, which waits for capacity in the token budget before it is uploaded. */
  capacity: z
    .strictObject({
      estimatedTokens: z.number().int().min(0),
      /** The limit of the bulk batch for the model; null to go by what the budget has learnt. */
      enqueuedTokens: z.number().int().min(1).nullable(),
      /** The weight by which bulk batches share the room. */
      priority: z.number().positive(),
    })
    .optional(),
});
export type CheckedBatchInput = z.output<typeof checkedBatchInputSchema>;

const timestamp = z.number().nullable();

const lineCountsFields = {
  /** Answered. */
  succeeded: z.number().int(),
  /** Answered with an error, refused by the model, or filtered. */
  failed: z.number().int(),
  /** Not answered because the batch expired or was cancelled. */
  unfinished: z.number().int(),
  /** Without a line in the provider's result files, or only with one that cannot be read or matched. */
  missing: z.number().int(),
} as const;

export type LineCountsSchema = z.ZodObject<typeof lineCountsFields>;
/** How the requests of the input ended. The four counts sum to the number of requests. */
export const lineCountsSchema: LineCountsSchema = z.object(lineCountsFields);
/** How requests ended. The four counts sum to the number of requests. */
export type LineCounts = z.infer<typeof lineCountsSchema>;

const anomaliesFields = {
  /** Further lines for a `custom_id` that has a line already. Each request is counted once. */
  duplicates: z.number().int(),
  /** Lines without a `custom_id`, or with one that the input does not have. */
  unknownIds: z.number().int(),
  /** Lines that are not JSON objects, such as a truncated last line. */
  unreadable: z.number().int(),
} as const;

export type AnomaliesSchema = z.ZodObject<typeof anomaliesFields>;
/** Lines of the provider's result files that match no request, or match one a second time. */
export const anomaliesSchema: AnomaliesSchema = z.object(anomaliesFields);

const tokenUsageFields = {
  /** Tokens of the prompts. */
  inputTokens: z.number(),
  /** Tokens that only the provider's total contains, such as those of hidden thinking, count as output. */
  outputTokens: z.number(),
  /** Tokens of both. */
  totalTokens: z.number(),
  /** The part of `inputTokens` that the provider read from its cache. */
  cachedTokens: z.number(),
  /** The part of `outputTokens` that the model thought. */
  reasoningTokens: z.number(),
} as const;

export type TokenUsageSchema = z.ZodObject<typeof tokenUsageFields>;
/** Tokens as the provider reports them. */
export const tokenUsageSchema: TokenUsageSchema = z.object(tokenUsageFields);
/** Tokens as the provider reports them. */
export type TokenUsage = z.infer<typeof tokenUsageSchema>;

const requestCountsFields = {
  /** Requests of the batch. */
  total: z.number(),
  /** Answered. */
  completed: z.number(),
  /** Answered with an error. */
  failed: z.number(),
} as const;
const requestCountsSchema: z.ZodObject<typeof requestCountsFields> = z.object(requestCountsFields);

const timestampFields = {
  /** When the provider created the batch. */
  createdAt: timestamp,
  /** When it began to answer requests. */
  inProgressAt: timestamp,
  /** When it began to write the result files. */
  finalizingAt: timestamp,
  /** When it reached its status. */
  endedAt: timestamp,
  /** When the provider gives up what is not answered. */
  expiresAt: timestamp,
} as const;
const timestampsSchema: z.ZodObject<typeof timestampFields> = z.object(timestampFields);

const batchResultFields = {
  /** How the batch ended. One that ends `failed` fails its run as `BatchFailed`. */
  status: z.enum(BATCH_ENDS).exclude(['failed']),
  /** Null if the run was cancelled before the batch was created. */
  batchId: z.string().nullable(),
  /** The model of the requests; null if it is not known. */
  model: z.string().nullable(),
  /** The counts that the provider reports; they need not add up. */
  requestCounts: requestCountsSchema,
  /** Whether the result files account for these counts. If not, see `warnings`; nothing is deleted at the provider. */
  isSettled: z.boolean(),
  /** How each request ended, counted from the result files. */
  lines: lineCountsSchema,
  /** Lines of the provider's result files that match no request, or match one a second time. */
  anomalies: anomaliesSchema,
  /** The succeeded lines, each `custom_id` once; null if there are none. */
  output: fileRefSchema.nullable(),
  /** The failed, unfinished and missing lines; null if there are none. */
  errors: fileRefSchema.nullable(),
  /**
   * Lines that are in neither of the two files, as the provider wrote them: those that cannot be read, those without a
   * known `custom_id`, and further lines for a `custom_id` that has one. Null if there are none.
   */
  unreadable: fileRefSchema.nullable(),
  /** Tokens of all lines, whether they count or not: everything that was paid for. */
  usage: tokenUsageSchema,
  /** Epoch seconds; null if the provider reports none. */
  timestamps: timestampsSchema,
  /** Who cancelled the run; null if nobody did. Set also where the batch completed before the cancel. */
  cancellation: cancellationSchema.nullable(),
  /** Sentences for people: unknown statuses, lost files, anomalies. */
  warnings: z.array(z.string()),
} as const;

/** The result of `runBatch`: counts and references to the files with the answers. Times are epoch seconds. */
export const batchResultSchema: z.ZodObject<typeof batchResultFields> = z.object(batchResultFields);
/** The result of `runBatch`. Times are epoch seconds; null if the provider reports none. */
export type BatchResult = z.infer<typeof batchResultSchema>;

/** The answer of the query `progress` of `runBatch`. */
export interface BatchProgress extends CommonProgress {
  /** The counts that the provider reports; they need not add up. */
  readonly counts: z.output<typeof requestCountsSchema>;
  /** Epoch seconds; null if the provider reports none. */
  readonly expiresAt: number | null;
  /** What a part of a bulk batch waits for before it is uploaded; null if nothing. */
  readonly waitingFor: string | null;
}
