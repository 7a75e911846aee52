import { ApiError, checkLength, checkRange, invalidType, invalidValue, missingParameter } from './api-error.js';

export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The JSON body of a request; an empty object for a request without one. */
export function readObject(body: unknown): JsonObject {
  if (body === undefined || body === null) return {};
  if (!isObject(body)) throw invalidType('body', 'an object', body);
  return body;
}

export function requiredString(body: JsonObject, param: string): string {
  const value = body[param];
  if (value === undefined || value === null || value === '') throw missingParameter(param);
  if (typeof value !== 'string') throw invalidType(param, 'a string', value);
  return value;
}

export function optionalString(body: JsonObject, param: string): string | null {
  return body[param] === undefined || body[param] === null ? null : requiredString(body, param);
}

const MAX_METADATA_PAIRS = 16;
const MAX_METADATA_KEY_LENGTH = 64;
const MAX_METADATA_VALUE_LENGTH = 512;

/** Reads the `metadata` of a batch or fine-tuning job. */
export function readMetadata({ metadata }: JsonObject): Record<string, string> | null {
  if (metadata === undefined || metadata === null) return null;
  if (!isObject(metadata)) throw invalidType('metadata', 'an object', metadata);
  const entries = Object.entries(metadata);
  if (entries.length > MAX_METADATA_PAIRS) {
    throw new ApiError(
      400,
      `Invalid 'metadata': too many properties. Expected an object with at most ${MAX_METADATA_PAIRS} properties, but got an object with ${entries.length} properties instead.`,
      { param: 'metadata', code: 'object_above_max_properties' },
    );
  }
  const checked = entries.map(([key, value]) => {
    const param = `metadata.${key}`;
    if (typeof value !== 'string') throw invalidType(param, 'a string', value);
    checkLength(param, key.length, MAX_METADATA_KEY_LENGTH);
    checkLength(param, value.length, MAX_METADATA_VALUE_LENGTH);
    return [key, value] as const;
  });
  return Object.fromEntries(checked);
}

const MIN_EXPIRY_SECONDS = 3_600;
const MAX_EXPIRY_SECONDS = 2_592_000;

/** Reads an expiry policy `{ anchor: 'created_at', seconds: 3600 … 2592000 }`. Returns its seconds. */
export function readExpiresAfter(param: string, value: unknown): number | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'object') throw invalidType(param, 'an object', value);
  const { anchor, seconds: raw } = value as JsonObject;
  if (anchor === undefined) throw missingParameter(`${param}.anchor`);
  if (anchor !== 'created_at') throw invalidValue(`${param}.anchor`, anchor, ['created_at']);
  if (raw === undefined) throw missingParameter(`${param}.seconds`);
  // Fields of a multipart body are text.
  const seconds = typeof raw === 'string' && /^\d+$/u.test(raw) ? Number(raw) : raw;
  if (typeof seconds !== 'number' || !Number.isInteger(seconds)) {
    throw invalidType(`${param}.seconds`, 'an integer', raw);
  }
  checkRange(`${param}.seconds`, seconds, MIN_EXPIRY_SECONDS, MAX_EXPIRY_SECONDS);
  return seconds;
}
