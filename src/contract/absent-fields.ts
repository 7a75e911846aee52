import type { z } from 'zod';
import { isObject } from './is-object.js';
import { parseSpec, type SpecParse } from './parse-spec.js';

/** Fields whose content is the provider's or the caller's own: a null in them means something. */
const OWN_CONTENT: ReadonlySet<string> = new Set(['schema', 'extraBody', 'method', 'metadata']);

/**
 * The spec without its fields that are null, since a client in another language may not be able to leave a field out.
 * Objects in the spec lose theirs as well.
 */
export function withoutNulls(spec: unknown): unknown {
  if (!isObject(spec)) return spec;
  const fields = withoutNullFields(spec).map(([name, value]): [string, unknown] => {
    const isOurs = isObject(value) && !OWN_CONTENT.has(name);
    return [name, isOurs ? Object.fromEntries(withoutNullFields(value)) : value];
  });
  return Object.fromEntries(fields);
}

const withoutNullFields = (object: object): [string, unknown][] =>
  Object.entries(object).filter(([, value]) => value !== null && value !== undefined);

/** Reads what a client in any language passes: see {@link parseSpec} and {@link withoutNulls}. */
export function parseSent<Schema extends z.ZodType>(schema: Schema, value: unknown): SpecParse<z.output<Schema>> {
  return parseSpec(schema, withoutNulls(value));
}
