/**
 * Building blocks for reading the API's objects leniently: providers that speak the dialect send other cases, ISO times,
 * empty strings and nulls (see the table of providers in `docs/explanation/providers.md`). Unknown fields pass through unread.
 */
import { z } from 'zod';

const isBlank = (value: unknown): boolean => value === null || value === undefined || value === '';

/** null, "" and absent are alike: `undefined`. */
export function blankable<T extends z.ZodType>(schema: T) {
  return z.preprocess((value) => (isBlank(value) ? undefined : value), schema.optional());
}

/** Like {@link blankable}, for parts that nothing depends on: a value of an unexpected shape is dropped too. */
export function ifReadable<T extends z.ZodType>(schema: T) {
  return blankable(schema).catch(undefined as z.output<z.ZodOptional<T>>);
}

/** A status: folded to lower case. Which ones are known is another matter, see `status.ts`. */
export const wireStatus = z.string().trim().toLowerCase().min(1);

/** A time: epoch seconds, epoch milliseconds (recognised by size) or ISO 8601; read as epoch seconds. */
export const wireTime = z.union([
  z.number().transform((time) => Math.floor(time > 1e11 ? time / 1_000 : time)),
  z.string().transform((text, context) => {
    const time = /^\d+$/.test(text) ? Number(text) : Date.parse(text) / 1_000;
    if (!Number.isFinite(time)) {
      context.addIssue({ code: 'custom', message: 'neither epoch seconds nor an ISO time' });
      return z.NEVER;
    }
    return Math.floor(time);
  }),
]);

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
