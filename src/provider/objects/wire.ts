/**
 * Building blocks for reading the API's objects leniently: providers that speak the dialect send other cases, ISO times,
 * empty strings and nulls (see the table of providers in `docs/explanation/providers.md`). Unknown fields pass through unread.
 */
import { z } from 'zod';
import { bounded } from '../../contract/text.js';

const isBlank = (value: unknown): boolean => value === null || value === undefined || value === '';

/** null, "" and absent are alike: `undefined`. */
export function blankable<T extends z.ZodType>(schema: T) {
  return z.preprocess((value) => (isBlank(value) ? undefined : value), schema.optional());
}

/** Like {@link blankable}, for parts that nothing depends on: a value of an unexpected shape is dropped too. */
export function ifReadable<T extends z.ZodType>(schema: T) {
  return blankable(schema).catch(undefined as z.output<z.ZodOptional<T>>);
}

/** Text that a person may read. It is bounded, since a snapshot of a job travels through the workflow's history. */
export const wireText = (max?: number) => z.string().transform((text) => bounded(text, max));

/**
 * An id that can stand in a path. The SDK throws on others, and an activity that can only ever throw would be retried for ever. Proxies
 * make long ones.
 */
export const wireId = z
  .string()
  .min(1)
  .max(2_048)
  .refine((id) => id.isWellFormed() && !/^(\.|%2e){1,2}$|[\s\p{Cc}]/iu.test(id), 'not an id');

/** A status: folded to lower case. Which ones are known is another matter, see `status.ts`. */
export const wireStatus = z
  .string()
  .trim()
  .toLowerCase()
  .min(1)
  .transform((status) => bounded(status, 100));

/** The largest time that a `Date` can hold, in seconds. */
const LAST_SECOND = 8.64e12;
/** As many services write it: without a zone, which means UTC and not the worker's own. */
const ISO_WITHOUT_ZONE = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d+)?)?$/;

/**
 * A time: epoch seconds, epoch milliseconds (recognised by size) or ISO 8601; read as epoch seconds. Zero and what lies before
 * is no time: it is how some languages write "not set", and a batch that expired in 1970 would count as stuck.
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
  if (seconds > 0 && seconds <= LAST_SECOND) return Math.floor(seconds);
  context.addIssue({ code: 'custom', message: 'neither epoch seconds nor an ISO time' });
  return z.NEVER;
});

/** A count: null and nonsense read as 0, since some providers send null while a batch validates. */
export const wireCount = z.preprocess((value) => (isBlank(value) ? 0 : value), z.number().nonnegative()).catch(0);

/** Metadata: only string values count; null reads as none. */
export const wireMetadata = z
  .preprocess(
    (value) =>
      value && typeof value === 'object' && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).filter(([, text]) => typeof text === 'string'))
        : {},
    z.record(z.string(), z.string()),
  )
  .catch({});
