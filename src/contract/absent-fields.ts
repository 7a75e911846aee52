/** Fields whose content is the provider's or the caller's own: a null in them means something. */
const OWN_CONTENT: ReadonlySet<string> = new Set(['schema', 'extraBody', 'method', 'metadata']);

/**
 * The spec without its fields that are null, since a client in another language may not be able to leave a field out.
 * Objects in the spec lose theirs as well.
 */
export function withoutNulls(spec: unknown): unknown {
  if (!isPlainObject(spec)) return spec;
  const fields = withoutNullFields(spec).map(([name, value]): [string, unknown] => {
    const isOurs = isPlainObject(value) && !OWN_CONTENT.has(name);
    return [name, isOurs ? Object.fromEntries(withoutNullFields(value)) : value];
  });
  return Object.fromEntries(fields);
}

const withoutNullFields = (object: object): [string, unknown][] =>
  Object.entries(object).filter(([, value]) => value !== null);

const isPlainObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
