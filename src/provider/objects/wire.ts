/**
 * Building blocks for reading the API's objects leniently: providers that are compatible with OpenAI send other letter
 * cases, ISO times, empty strings and nulls. Unknown fields are ignored.
 */
import { z } from 'zod';
import { bounded } from '../../contract/text.js';
import { JOB_KEY } from '../../contract/job-key.js';
import { REDACTED } from '../clean-reply.js';

const isBlank = (value: unknown): boolean => value === null || value === undefined || value === '';

/** Reads null, the empty string and an absent value alike, as `undefined`. */
function blankable<T extends z.ZodType>(schema: T) {
  return z.preprocess((value) => (isBlank(value) ? undefined : value), schema.optional());
}

/** Like {@link blankable}, for fields that nothing depends on: a value of an unexpected shape is dropped, too. */
export function ifReadable<T extends z.ZodType>(schema: T) {
  return blankable(schema).catch(undefined as z.output<z.ZodOptional<T>>);
}

/** Text for people. It is bounded, since a snapshot of a job becomes part of the workflow's history. */
export const wireText = (max?: number) => z.string().transform((text) => bounded(text, max));

/** The name of a model, which people choose in part. */
export const wireModel = wireText(512);

/**
 * Any text but the empty one. Not `min(1)`: zod compares the length of whatever has a `length`, and throws for a value
 * such as `{ length: { toString: 1 } }`.
 */
export const wireNonEmpty = z.string().refine((text) => text !== '', 'must not be empty');

/** In characters. */
const MAX_ID_LENGTH = 2_048;

/**
 * An id that can be part of a path. The SDK throws on others, and the activity would be retried without end. The bound
 * is generous, since proxies make long ids. An id that contains a key could not be told without the key.
 */
export const wireId = wireNonEmpty
  .refine((id) => id.length <= MAX_ID_LENGTH)
  .refine((id) => id.isWellFormed() && !UNUSABLE_ID.test(id) && !id.includes(REDACTED), 'must be an id');

const UNUSABLE_ID = /^(\.|%2e){1,2}$|[\s\p{Cc}\u2028-\u202E\u2066-\u2069]/iu;

/** A status in lower case. It need not be one that `contract/status.ts` knows. */
export const wireStatus = z
  .string()
  .trim()
  .toLowerCase()
  .refine((status) => status !== '')
  .transform((status) => bounded(status, 100));

/** A status in our words, as far as it is known what the words of other providers mean. */
export const wireStatusIn = (words: ReadonlyMap<string, string>) =>
  wireStatus.transform((status) => words.get(status.replace(/[\s-]+/g, '_')) ?? status);

/** A record of small values that nothing depends on. A large one is dropped: it would become part of the history. */
export const wireRecord = (maxLength: number) =>
  ifReadable(z.record(z.string(), z.unknown()).refine((record) => isSmall(record, maxLength)));

/** Whether a value has at most so many characters of JSON. One that is nested too deeply for JSON is not small. */
export function isSmall(value: unknown, maxLength: number): boolean {
  try {
    return JSON.stringify(value).length <= maxLength;
  } catch {
    return false;
  }
}

/** The latest time that a `Date` can hold, in epoch seconds. */
const MAX_EPOCH_SECONDS = 8.64e12;
/** Many services omit the zone and mean UTC, while `Date.parse` would assume the worker's zone. */
const ISO_WITHOUT_ZONE = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d+)?)?$/;

/**
 * A time, read as epoch seconds from epoch seconds, epoch milliseconds (recognised by their size) or ISO 8601. Zero and
 * earlier times are rejected: some languages write "not set" that way, and a batch that expired in 1970 would count as
 * stuck.
 */
export const wireTime = z.union([z.number(), z.string()]).transform((value, context) => {
  const number = typeof value === 'number' || /^\d+(\.\d+)?$/.test(value) ? Number(value) : null;
  const iso = String(value).trim();
  const seconds =
    number === null
      ? Date.parse(ISO_WITHOUT_ZONE.test(iso) ? `${iso}Z` : iso) / 1_000
      : number > 1e11
        ? number / 1_000
        : number;
  if (seconds > 0 && seconds <= MAX_EPOCH_SECONDS) return Math.floor(seconds);
  context.addIssue({ code: 'custom', message: 'must be a time in epoch seconds or ISO 8601' });
  return z.NEVER;
});

/** A count. Null and invalid values are read as 0, since some providers send null while a batch validates. */
export const wireCount = z.preprocess((value) => (isBlank(value) ? 0 : value), z.number().nonnegative()).catch(0);

/** More pairs, and longer ones, than any provider keeps. */
const MAX_METADATA = { pairs: 64, keyLength: 256, valueLength: 4_096 };

/** Metadata. Values that are not strings are dropped, as are values of absurd size; null is read as an empty record. */
export const wireMetadata = z
  .preprocess(
    (value) =>
      value && typeof value === 'object' && !Array.isArray(value) ? Object.fromEntries(readablePairs(value)) : {},
    z.record(z.string(), z.string()),
  )
  .catch({});

/** The key of the job comes first, so that no flood of other pairs hides it. */
function readablePairs(value: object): [string, unknown][] {
  const { pairs, keyLength, valueLength } = MAX_METADATA;
  return Object.entries(value)
    .filter(([key, text]) => key.length <= keyLength && typeof text === 'string' && text.length <= valueLength)
    .toSorted(([a], [b]) => Number(b === JOB_KEY) - Number(a === JOB_KEY))
    .slice(0, pairs);
}
