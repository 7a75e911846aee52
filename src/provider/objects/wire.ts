/**
 * Building blocks for reading the API's objects leniently: providers that are compatible with OpenAI send other letter
 * cases, ISO times, empty strings and nulls. Unknown fields are ignored.
 */
import { z } from 'zod';
import { bounded } from '../../contract/text.js';

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

/**
 * An id that can be part of a path. The SDK throws on others, and the activity would be retried without end. The bound
 * is generous, since proxies make long ids.
 */
export const wireId = z
  .string()
  .min(1)
  .max(2_048)
  .refine((id) => id.isWellFormed() && !/^(\.|%2e){1,2}$|[\s\p{Cc}]/iu.test(id), 'must be an id');

/** A status in lower case. It need not be one that `contract/status.ts` knows. */
export const wireStatus = z
  .string()
  .trim()
  .toLowerCase()
  .min(1)
  .transform((status) => bounded(status, 100));

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

/** Metadata. Values that are not strings are dropped, and null is read as an empty record. */
export const wireMetadata = z
  .preprocess(
    (value) =>
      value && typeof value === 'object' && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).filter(([, text]) => typeof text === 'string'))
        : {},
    z.record(z.string(), z.string()),
  )
  .catch({});
