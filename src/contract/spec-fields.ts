/** Schemas of the fields that the specs of all lifecycles share. */
import * as z from 'zod';
import { isDuration, type Deadline, type Duration } from './duration.js';
import { JOB_KEY } from './job-key.js';
import { METADATA_LIMITS } from './limits.js';

/** Makes a failed check abort, so that zod reports the message of the union instead of that of the check. */
const abort = { abort: true } as const;
const durationText = z.string().min(1, abort).max(40, abort).refine(isDuration, abort);

/** A number with a unit, as `Duration` describes it; at most ten years. */
export const durationSchema: z.ZodType<Duration, Duration> = z.union([z.literal(0), durationText], {
  error: "must be a duration with a unit, such as '90s', '5m' or '24h', of at most ten years",
});

/** The year 2001. An earlier time must be a duration that should have been a string. */
const MIN_DEADLINE_SECONDS = 1_000_000_000;
/** The year 5138. A later time must be in milliseconds. */
const MAX_DEADLINE_SECONDS = 100_000_000_000;

/**
 * When to cancel: a time in epoch seconds, or a duration string counted from the start of the workflow, such as `'6h'`.
 */
export const deadlineSchema: z.ZodType<Deadline, Deadline> = z.union(
  [z.number().min(MIN_DEADLINE_SECONDS, abort).max(MAX_DEADLINE_SECONDS, abort), durationText],
  { error: "must be a time in epoch seconds, or a duration from the start such as '6h'" },
);

/** An id of the API. An empty one must never reach the SDK, which would request the whole collection. */
export const idSchema = z
  .string()
  .trim()
  .min(1, { error: 'must not be empty', abort: true })
  .max(512, { error: 'must have at most 512 characters', abort: true })
  .regex(/^(?!\.{1,2}$)[^\s/\\?#]+$/, 'must be an id without spaces, "/", "\\", "?" or "#", and not "." or ".."');

export const uriSchema = z
  .string()
  .max(4_096, { error: 'must have at most 4096 characters', abort: true })
  .regex(/^(file|s3):\/\//, 'must be a file:// or s3:// URI');

/** The path of an endpoint. Those of OpenAI's batches are suggested; any other path is accepted. */
export type Endpoint =
  | '/v1/chat/completions'
  | '/v1/responses'
  | '/v1/embeddings'
  | '/v1/completions'
  | '/v1/moderations'
  | '/v1/images/generations'
  | '/v1/images/edits'
  | '/v1/videos'
  // Keeps the suggestions, which a plain `string` would swallow.
  | (string & {});

export const endpointSchema = z
  .string()
  .regex(/^\/[^\s?#]*$/, 'must be a path such as /v1/chat/completions') as unknown as z.ZodType<Endpoint, Endpoint>;
/** Where a person sees a job at the provider. */
export const linkSchema = z
  .string()
  .max(1_000, { error: 'must have at most 1000 characters', abort: true })
  .regex(
    /^https?:\/\/[^\s<>()[\]"'`\\]*\{id\}[^\s<>()[\]"'`\\]*$/,
    'must be an http:// or https:// URL with {id}, without spaces, brackets and quotes',
  );

/** One of the pairs that the API allows is reserved for the job key. */
const MAX_USER_PAIRS = METADATA_LIMITS.pairs - 1;

/** The metadata of the user. */
export const metadataSchema = z
  .record(
    z
      .string()
      .min(1, 'a metadata key must not be empty')
      .max(METADATA_LIMITS.keyLength, `a metadata key must have at most ${METADATA_LIMITS.keyLength} characters`)
      .refine((key) => key !== JOB_KEY, `the metadata key "${JOB_KEY}" is reserved`),
    z
      .string()
      .max(METADATA_LIMITS.valueLength, `a metadata value must have at most ${METADATA_LIMITS.valueLength} characters`),
  )
  .refine(
    (pairs) => Object.keys(pairs).length <= MAX_USER_PAIRS,
    `must have at most ${MAX_USER_PAIRS} pairs: the API allows ${METADATA_LIMITS.pairs}, and "${JOB_KEY}" is reserved`,
  );

/** Who looks whether a job has ended. */
export const WATCH_MODES = ['account', 'job'] as const;
export type WatchMode = (typeof WATCH_MODES)[number];

const pollFields = {
  /**
   * The shortest interval, while a job is young.
   * @default the worker's, `'5s'` by default
   */
  min: durationSchema.optional(),
  /**
   * The longest interval.
   * @default the worker's, `'5m'` by default
   */
  max: durationSchema.optional(),
} as const;
export type SpecPollSchema = z.ZodObject<typeof pollFields, z.core.$strict>;
const specPollSchema: SpecPollSchema = z.strictObject(pollFields);

/**
 * The fields that all specs have. Here and in other schemas of the public contract, fields are a constant that the type
 * of the schema names: in declarations, the compiler keeps the comments of constants, and drops those of inferred types.
 */
export const commonSpecFields = {
  /**
   * Metadata of the job at the provider: at most 15 pairs, keys of 1 to 64 and values of at most 512 characters, such as
   * `{ team: 'search' }`. One more pair is the library's.
   * @default none
   */
  metadata: metadataSchema.optional(),
  /**
   * Where results are written, as `<outputUri>/<job id>/…`: a `file:` or `s3:` URI below one of the worker's roots, such
   * as `s3://my-bucket/results/`.
   * @default the worker's first storage root
   */
  outputUri: uriSchema.optional(),
  /**
   * When to cancel the job: epoch seconds, or a duration from the start of the run such as `'6h'`. Its partial results
   * are kept.
   * @default never
   */
  deadline: deadlineSchema.optional(),
  /**
   * Name of the provider, as configured at the worker: 1 to 100 characters.
   * @default 'default'
   */
  provider: z.string().min(1).max(100).default('default'),
  /**
   * Where a person sees the job at the provider: a URL with `{id}`, for the page of the run in the Temporal UI.
   *
   * @default none
   * @example 'https://platform.openai.com/batches/{id}'
   */
  link: linkSchema.optional(),
  /**
   * Bounds of the poll interval, such as `{ min: '10s', max: '1m' }`. A spec with it makes the run poll by itself.
   * @default the worker's (`LLM_JOBS_POLL_MIN`, `LLM_JOBS_POLL_MAX`)
   */
  poll: specPollSchema.optional(),
  /**
   * Who looks whether the job has ended. `account`: one watch for all jobs of an account, which reads the provider's
   * lists and wakes the run. `job`: the run itself, at intervals within `poll`.
   * @default 'job' for a spec with `poll`; otherwise the worker's choice (`LLM_JOBS_WATCH`), which is 'account' by default
   */
  watch: z.enum(WATCH_MODES).optional(),
  /**
   * How long a job may be missing at the provider (404) before the run fails with `JobVanished`.
   * @default '15m'
   */
  vanishedAfter: durationSchema.default('15m'),
  /**
   * How long after the end of a job its results are read again while they do not account for what the provider counts.
   * @default '15m'
   */
  settleFor: durationSchema.default('15m'),
  /**
   * How long the provider may refuse to answer for a job, or be unreachable, counted from when the job should have
   * ended. Then the run fails with `JobStuck` and the results that it has.
   * @default '7d'
   */
  giveUpAfter: durationSchema.default('7d'),
  /**
   * What to do if it is unknown whether a create succeeded. This happens only with providers that keep no metadata.
   * @default 'fail'
   */
  onAmbiguousCreate: z.enum(['fail', 'createAgain']).default('fail'),
} as const;

/**
 * Further fields of the create request, for providers that need them. They are passed on unchanged.
 *
 * @param taken fields of the request that the library sets
 */
export function extraBodySchema(taken: readonly string[]) {
  return z
    .record(z.string().min(1, 'must not be empty'), z.json())
    .refine((body) => !taken.some((field) => Object.hasOwn(body, field)), {
      error: `must not contain ${taken.join(', ')}: the library sets these fields`,
    });
}

/** The fields of the create request of a batch that the library sets. */
export const BATCH_CREATE_FIELDS = [
  'input_file_id',
  'endpoint',
  'completion_window',
  'metadata',
  'output_expires_after',
] as const;
