import type { z } from 'zod';

const UNREADABLE = 'has a value of the wrong type';

export type SafeParse<T> =
  | { readonly success: true; readonly data: T; readonly error?: undefined }
  | { readonly success: false; readonly data?: undefined; readonly error: Pick<z.ZodError, 'issues'> };

/**
 * Reads a value from outside by a schema, and never throws. `schema.safeParse` may: zod 4 compares the length of whatever
 * has a `length`, so `{ length: { toString: 1 } }` in place of a text makes it throw a TypeError. In a workflow that would
 * fail every workflow task.
 *
 * @param messageOf the message of an issue; zod's own where it returns undefined
 */
export function safeParse<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  messageOf?: z.core.$ZodErrorMap,
): SafeParse<z.output<Schema>> {
  try {
    return schema.safeParse(value, messageOf && { error: messageOf });
  } catch {
    const issue = { code: 'custom', path: fieldThatThrows(schema, value), message: UNREADABLE, input: value } as const;
    return { success: false, error: { issues: [issue] } };
  }
}

/** The path of the field that cannot be read, as far as the first level shows it. */
function fieldThatThrows(schema: z.ZodType, value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const field = Object.entries(value).find(([key, content]) => throws(schema, { [key]: content }));
  return field ? [field[0]] : [];
}

function throws(schema: z.ZodType, value: unknown): boolean {
  try {
    schema.safeParse(value);
    return false;
  } catch {
    return true;
  }
}
