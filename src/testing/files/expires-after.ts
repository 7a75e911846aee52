import { ApiError, invalidType, invalidValue, missingParameter } from '../api-error.js';

const SECONDS = { min: 3_600, max: 2_592_000 };

/** Reads an expiry policy `{ anchor: 'created_at', seconds: 3600 … 2592000 }` and gives its seconds. */
export function readExpiresAfter(param: string, value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'object') throw invalidType(param, 'an object', value);
  const { anchor, seconds: raw } = value as { anchor?: unknown; seconds?: unknown };
  if (anchor === undefined) throw missingParameter(`${param}.anchor`);
  if (anchor !== 'created_at') throw invalidValue(`${param}.anchor`, anchor, ['created_at']);
  if (raw === undefined) throw missingParameter(`${param}.seconds`);
  // Multipart fields are text.
  const seconds = typeof raw === 'string' && /^\d+$/u.test(raw) ? Number(raw) : raw;
  if (typeof seconds !== 'number' || !Number.isInteger(seconds)) {
    throw invalidType(`${param}.seconds`, 'an integer', raw);
  }
  if (seconds < SECONDS.min || seconds > SECONDS.max) {
    const below = seconds < SECONDS.min;
    throw new ApiError(
      400,
      `Invalid '${param}.seconds': integer ${below ? 'below minimum' : 'above maximum'} value. Expected a value ${below ? `>= ${SECONDS.min}` : `<= ${SECONDS.max}`}, but got ${seconds} instead.`,
      { param: `${param}.seconds`, code: below ? 'integer_below_min_value' : 'integer_above_max_value' },
    );
  }
  return seconds;
}
