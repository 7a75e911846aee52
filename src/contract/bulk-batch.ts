/** The contract of `runBulkBatch`: its spec, its result, its progress. */
import * as z from 'zod';
import { anomaliesSchema, lineCountsSchema, tokenUsageSchema, type BatchResult, type LineCounts } from './batch.js';
import { bulkCleanupSchema, bulkPriceSchema, retrySchema, splitSchema } from './bulk-fields.js';
import { fileRefSchema } from './file-ref.js';
import { SEND_REASONS, type RoundPlan } from './part.js';
import { cancellationSchema, type AnsweredSoFar, type CommonProgress } from './progress.js';
import {
  BATCH_CREATE_FIELDS,
  commonSpecFields,
  durationSchema,
  endpointSchema,
  extraBodySchema,
  uriSchema,
} from './spec-fields.js';

const inputSchema = z.union(
  [
    z.strictObject({ uri: uriSchema }),
    z.strictObject({ uris: z.array(uriSchema).min(1).max(1_000) }),
    z.strictObject({ prefix: uriSchema }),
  ],
  { error: 'must be one of { uri }, { uris } or { prefix }, with file:// or s3:// URIs' },
);

/** Where the structured output of an answer stands. */
export const STRUCTURED_OUTPUTS = ['text', 'toolCall', 'textOrToolCall'] as const;
export type StructuredOutputPlace = (typeof STRUCTURED_OUTPUTS)[number];

const positive = z.number().int().min(1);

const bulkBatchSpecFields = {
  /**
   * JSONL files of requests, plain or gzip: one, up to 1,000, or all under a prefix in the order of their names. Models and
   * endpoints may be mixed.
   */
  input: inputSchema,
  /**
   * The endpoint that every request must have. Without it, each request's `url` counts, and each endpoint gets separate
   * batches.
   *
   * @default the `url` of each request
   */
  endpoint: endpointSchema.optional(),
  /**
   * What to do with requests without a `custom_id`: refuse the input, or set `line-<n>`, where n is the number of the
   * line, counted through all files.
   *
   * @default 'refuse'
   */
  missingCustomIds: z.enum(['refuse', 'fromLineNumber']).default('refuse'),
  /**
   * How long the provider may take for each batch, in its own words, of 1 to 40 characters.
   *
   * @default '24h'
   */
  completionWindow: z.string().min(1).max(40).default('24h'),
  /**
   * Further fields of the create request of each batch, for providers that need them.
   *
   * @default none
   */
  extraBody: extraBodySchema(BATCH_CREATE_FIELDS).optional(),
  /**
   * How long after its expiry, or after a cancel, a batch may take to reach a terminal status.
   *
   * @default '2h'
   */
  stuckAfter: durationSchema.default('2h'),
  /**
   * How long the provider may refuse to answer for a batch, or be unreachable, counted from when the batch should have
   * ended. Also how long requests wait for credit or for room at the provider, counted from the first refusal; then
   * they end as failed with the provider's reason.
   *
   * @default '7d'
   */
  giveUpAfter: durationSchema.default('7d'),
  /**
   * Limits of one part, below those of the provider.
   *
   * @default the provider's limits
   */
  split: splitSchema.optional(),
  /**
   * How many batches run concurrently at most: 1 to 200.
   *
   * @default 10
   */
  maxParallel: z.number().int().min(1).max(200).default(10),
  /**
   * Weight by which the bulk batches of a provider share what may be enqueued, and creates: 0.01 to 1,000. One of priority 2 gets twice
   * as much as one of priority 1.
   *
   * @default 1
   */
  priority: z.number().min(0.01).max(1_000).default(1),
  /**
   * How many times a request is sent at most: 1 to 20. Requests that were refused for want of credit or room do not count as
   * sent.
   *
   * @default 3
   */
  maxRounds: z.number().int().min(1).max(20).default(3),
  /**
   * Which requests are sent again in the next round. Unfinished ones always are.
   *
   * @default { failed: true, mismatched: true }
   */
  retry: retrySchema.prefault({}),
  /**
   * A JSON schema for the structured output of every answer, such as `z.toJSONSchema(mySchema)`. Requests whose answer
   * does not match it are sent again. Its draft is the one that `$schema` names.
   *
   * @default draft 2020-12 without `$schema`; no check without a schema
   */
  schema: z.record(z.string(), z.unknown()).optional(),
  /**
   * Where `schema` looks: at the text of the final message, at the arguments of the first tool call, or at the arguments
   * where the answer has no text.
   *
   * @default 'textOrToolCall'
   */
  structuredOutput: z.enum(STRUCTURED_OUTPUTS).default('textOrToolCall'),
  /**
   * Order of the lines of the merged output.
   *
   * @default 'input'
   */
  order: z.enum(['input', 'customId']).default('input'),
  /**
   * Compress the merged files.
   *
   * @default false
   */
  gzip: z.boolean().default(false),
  /**
   * Prices by model, in any currency per million tokens, from which `cost` is calculated: `inputPerMillion`,
   * `outputPerMillion` and optionally `cachedInputPerMillion` and `reasoningPerMillion`.
   *
   * @default none, and `cost` is null
   * @example { 'gpt-4o-mini': { inputPerMillion: 0.075, outputPerMillion: 0.3 } }
   */
  prices: z.record(z.string(), bulkPriceSchema).optional(),
  /**
   * How many prompt tokens may be enqueued at a time, for every model or by model. All runs of the provider in this
   * namespace share the limit.
   *
   * @default learnt from the provider's refusals
   * @example { 'gpt-4o-mini': 2_000_000 }
   */
  enqueuedTokens: z.union([positive, z.record(z.string(), positive)]).optional(),
  /**
   * Keep the parts of the input and the results of each batch beside the merged files. Without it they are removed after
   * a merge whose files are complete. A cancelled or failed bulk batch keeps them in any case.
   *
   * @default false
   */
  keepParts: z.boolean().default(false),
  /**
   * Which files to delete at the provider when a batch ends.
   *
   * @default { input: true, output: false }
   */
  cleanup: bulkCleanupSchema.default({ input: true, output: false }),
} as const;

/** A bulk batch waits for room and credit as long as for an answer. */
const { giveUpAfter: _, ...othersOfCommon } = commonSpecFields;

/** The spec of `runBulkBatch`, its only argument. */
export const bulkBatchSpecSchema: z.ZodObject<
  typeof bulkBatchSpecFields & Omit<typeof commonSpecFields, 'giveUpAfter'>,
  z.core.$strict
> = z.strictObject({ ...bulkBatchSpecFields, ...othersOfCommon });
/** A spec as application code writes it. */
export type BulkBatchSpec = z.input<typeof bulkBatchSpecSchema>;
/** A spec after validation, with defaults filled in. */
export type ParsedBulkBatchSpec = z.output<typeof bulkBatchSpecSchema>;

const roundPlanFields = {
  /** Its number, from 1. */
  round: z.number().int(),
  /** Requests that it sent. */
  requests: z.number().int(),
  /** Why they were sent: how many for each reason. */
  reasons: z.partialRecord(z.enum(SEND_REASONS), z.number().int()),
} as const;

const roundPlanSchema: z.ZodObject<typeof roundPlanFields> = z.object(roundPlanFields) satisfies z.ZodType<RoundPlan>;

const costFields = {
  /** In the currency of the prices. */
  total: z.number(),
  /** The part of each model. */
  byModel: z.record(z.string(), z.number()),
} as const;
const costSchema: z.ZodObject<typeof costFields> = z.object(costFields);

const bulkBatchResultFields = {
  /** `cancelled`: some requests may never have been sent. */
  status: z.enum(['completed', 'cancelled']),
  /** Number of requests in the input. */
  requests: z.number().int(),
  /** How the requests ended. The four counts sum to `requests`. */
  lines: lineCountsSchema,
  /** Lines of the provider's result files that match no request or match one again, over all batches. */
  anomalies: anomaliesSchema,
  /** How many rounds there were. */
  rounds: z.number().int(),
  /** How many requests each round sent, and why. */
  sent: z.array(roundPlanSchema),
  /** How many batches were created. */
  batches: z.number().int(),
  /** The succeeded lines, each `custom_id` once, in the requested order; null if there are none. */
  output: fileRefSchema.nullable(),
  /** A line for each other request, with the reason of its last round; null if there are none. */
  errors: fileRefSchema.nullable(),
  /** The raw lines of all batches that are in neither file, see `BatchResult.unreadable`; null if there are none. */
  unreadable: fileRefSchema.nullable(),
  /** JSONL with one line per part and round: its batch, its counts, and the URIs of its files if they are kept. */
  parts: fileRefSchema.nullable(),
  /** Tokens by model over all rounds: everything that was paid for, whether it counts or not. */
  usage: z.record(z.string(), tokenUsageSchema),
  /** Calculated from the spec's `prices`; null without them. */
  cost: costSchema.nullable(),
  /** Who cancelled the run; null if nobody did. */
  cancellation: cancellationSchema.nullable(),
  /** Sentences for people: unknown statuses, lost files, anomalies. */
  warnings: z.array(z.string()),
} as const;

/** The result of `runBulkBatch`: counts and references to the files with the answers. */
export const bulkBatchResultSchema: z.ZodObject<typeof bulkBatchResultFields> = z.object(bulkBatchResultFields);
/** The result of `runBulkBatch`: counts and references to the files with the answers. */
export type BulkBatchResult = z.infer<typeof bulkBatchResultSchema>;

/** The answer of the query `progress` of `runBulkBatch`. */
export interface BulkBatchProgress extends CommonProgress {
  /** Current round, from 1. */
  readonly round: number;
  /** The parts of the round. */
  readonly parts: {
    /** All of them. */
    readonly total: number;
    /** Without a run. */
    readonly waiting: number;
    /** With a run that has not ended. */
    readonly running: number;
    /** Whose runs have ended. */
    readonly done: number;
  };
  /** Whether the update `pause` was sent, so that no batch is created until `resume`. */
  readonly isPaused: boolean;
  /**
   * How the requests ended whose batches have ended, each request counted once. A request that is sent again is not
   * counted until its new batch has ended.
   */
  readonly lines: LineCounts;
  /**
   * What the batches under way had answered at the last `look`. Null before it, and where the account is not watched.
   */
  readonly underWay: AnsweredSoFar | null;
  /** How many requests each round sent, and why. */
  readonly sent: readonly RoundPlan[];
  /** Sums over the batches that have ended. */
  readonly anomalies: BatchResult['anomalies'];
  /**
   * Why a part or a round is not submitted yet: no capacity in the token budget, no room or no credit at the provider,
   * or a token budget that does not answer. Null if none waits.
   */
  readonly waitingFor: string | null;
}
