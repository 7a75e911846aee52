/** Fields that the specs of all lifecycles share, each checked in this one place. */
import ms, { type StringValue } from 'ms';
import { z } from 'zod';
import { JOB_KEY } from './job-key.js';
import { METADATA_LIMITS } from './limits.js';

/** Milliseconds of a duration that {@link durationSchema} has accepted. */
export function toMs(duration: Duration): number {
  return typeof duration === 'number' ? duration : ms(duration as StringValue);
}

/** Ten years, in ms: longer is a mistake, and timers have an end somewhere. */
const LONGEST_DURATION = 3_650 * 24 * 60 * 60 * 1_000;

function readsAsDuration(text: string): boolean {
  try {
    const value = ms(text as StringValue) as number | undefined;
    return value !== undefined && value >= 0 && value <= LONGEST_DURATION;
  } catch {
    return false;
  }
}

/** A value that fails a check is none of a union's kinds, so that the union's own message is given and not the check's. */
const whole = { abort: true } as const;
const durationText = z.string().min(1, whole).max(40, whole).refine(readsAsDuration, whole);

/** A duration: milliseconds, or a string in the style of the `ms` package such as `'90s'`, `'5m'`, `'24h'`; ten years at most. */
export const durationSchema = z.union([z.number().nonnegative(whole).max(LONGEST_DURATION, whole), durationText], {
  error: "must be a duration: milliseconds, or a string such as '90s', '5m' or '24h'",
});
export type Duration = z.infer<typeof durationSchema>;

/** Moments earlier than this (the year 2001) are surely durations that were meant to be strings. */
const EARLIEST_DEADLINE = 1_000_000_000;
/** Moments later than this (the year 5138) are surely milliseconds. */
const LATEST_DEADLINE = 100_000_000_000;

/**
 * When to cancel: a moment in epoch seconds, or a duration string counted from the start of the workflow (`'6h'`).
 */
export const deadlineSchema = z.union(
  [z.number().min(EARLIEST_DEADLINE, whole).max(LATEST_DEADLINE, whole), durationText],
  { error: "must be a moment in epoch seconds, or a duration from the start such as '6h'" },
);
export type Deadline = z.infer<typeof deadlineSchema>;

/** An id of the API. Empty ones must never reach the SDK, which would ask for the whole collection. */
export const idSchema = z
  .string()
  .trim()
  .min(1, { error: 'must not be empty', abort: true })
  .max(512, { error: 'must have at most 512 characters', abort: true })
  .regex(/^(?!\.{1,2}$)[^\s/\\?#]+$/, 'must be one id: no spaces, no "/", "\\", "?" or "#", not "." or ".."');

export const uriSchema = z
  .string()
  .max(4_096, { error: 'must have at most 4096 characters', abort: true })
  .regex(/^(file|s3):\/\//, 'must be a file:// or s3:// URI');

/** The user's own metadata: one pair of the API's sixteen is taken by the job key. */
export const metadataSchema = z
  .record(
    z
      .string()
      .min(1, 'a metadata key must not be empty')
      .max(METADATA_LIMITS.keyLength, `a metadata key has at most ${METADATA_LIMITS.keyLength} characters`)
      .refine((key) => key !== JOB_KEY, `the metadata key "${JOB_KEY}" is the library's own`),
    z
      .string()
      .max(METADATA_LIMITS.valueLength, `a metadata value has at most ${METADATA_LIMITS.valueLength} characters`),
  )
  .refine(
    (pairs) => Object.keys(pairs).length < METADATA_LIMITS.pairs,
    `at most ${METADATA_LIMITS.pairs - 1} pairs: the API takes ${METADATA_LIMITS.pairs} and the library needs one ("${JOB_KEY}")`,
  );

/** What all lifecycles can be told. */
export const commonSpecFields = {
  metadata: metadataSchema.optional(),
  /** Where results land, as `<outputUri>/<job id>/…`. Default: the worker's first storage root. */
  outputUri: uriSchema.optional(),
  /** Cancel the job when this has passed and keep the partial results. Default: never. */
  deadline: deadlineSchema.optional(),
  /** Which of the worker's providers runs the job. Default `'default'`. */
  provider: z.string().min(1).max(100).default('default'),
  /** Bounds of the poll interval. Default: the worker's (`LLM_JOBS_POLL_MIN`, `LLM_JOBS_POLL_MAX`). */
  poll: z.strictObject({ min: durationSchema.optional(), max: durationSchema.optional() }).optional(),
  /** How long a job may be missing at the provider (404) before the run fails with `JobVanished`. Default `'15m'`. */
  vanishedAfter: durationSchema.default('15m'),
  /** What to do when it cannot be known whether a create succeeded: only for providers without metadata. Default `'fail'`. */
  onAmbiguousCreate: z.enum(['fail', 'createAgain']).default('fail'),
} as const;
