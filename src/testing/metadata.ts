import { ApiError, invalidType } from './api-error.js';

const MAX = { pairs: 16, key: 64, value: 512 };

/** Checks `metadata` of a batch or job: at most 16 pairs of strings, keys up to 64 and values up to 512 characters. */
export function readMetadata(value: unknown): Record<string, string> | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'object' || Array.isArray(value)) throw invalidType('metadata', 'an object', value);
  const entries = Object.entries(value as Record<string, unknown>);
  if (entries.length > MAX.pairs) {
    throw new ApiError(
      400,
      `Invalid 'metadata': too many properties. Expected an object with at most ${MAX.pairs} properties, but got an object with ${entries.length} properties instead.`,
      { param: 'metadata', code: 'object_above_max_properties' },
    );
  }
  for (const [key, entry] of entries) {
    const param = `metadata.${key}`;
    if (typeof entry !== 'string') throw invalidType(param, 'a string', entry);
    if (key.length > MAX.key) throw tooLong(param, MAX.key, key.length);
    if (entry.length > MAX.value) throw tooLong(param, MAX.value, entry.length);
  }
  return Object.fromEntries(entries) as Record<string, string>;
}

function tooLong(param: string, max: number, length: number): ApiError {
  return new ApiError(
    400,
    `Invalid '${param}': string too long. Expected a string with maximum length ${max}, but got a string with length ${length} instead.`,
    { param, code: 'string_above_max_length' },
  );
}
