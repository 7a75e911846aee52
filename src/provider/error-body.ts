/**
 * The bodies of error replies. The SDK reads the shape of OpenAI alone, `{error: {message, code, type, param}}`, and
 * says "status code (no body)" for any other. Providers and gateways also send `{detail}`, `{message}`, `{errors}`, an
 * `error` that is a text, and lists of these; what they say decides whether a call is repeated.
 */
import { isObject } from '../contract/is-object.js';

/** Fields that hold the words of an error, the most telling first. */
const WORDS = [
  'message',
  'detail',
  'details',
  'error_description',
  'error_message',
  'error_msg',
  'errorMessage',
  'msg',
  'reason',
  'errors',
  'error',
  'title',
];
const CODES = ['code', 'error_code', 'errorCode'];
/** Fields in which the object that holds the code may be. */
const NESTED = ['error', 'detail', 'message', 'errors'];

const MAX_DEPTH = 6;
const MAX_ENTRIES = 20;

/** The body as the SDK reads it. A body that is not JSON, or has OpenAI's shape already, is returned unchanged. */
export function asErrorBody(text: string): string {
  const body = parsed(text);
  if (body === undefined || body === null) return text;
  const own = isObject(body) ? body.error : undefined;
  if (isObject(own) && typeof own.message === 'string' && own.message !== '') return text;
  const message = errorWords(body);
  const fields = Object.fromEntries(['type', 'param'].map((name) => [name, fieldOf(body, [name])]));
  return JSON.stringify({ error: { ...fields, code: codeOf(body, message), message: message ?? text.trim() } });
}

/** What an object says about an error, whichever shape it has; null if it says nothing. */
export function errorWords(value: unknown, depth = 0): string | null {
  if (typeof value === 'string') return value.trim() || null;
  if (depth > MAX_DEPTH || value === null || typeof value !== 'object') return null;
  if (Array.isArray(value)) return joined(value.slice(0, MAX_ENTRIES).map((entry) => errorWords(entry, depth + 1)));
  const record = value as Readonly<Record<string, unknown>>;
  for (const name of WORDS) {
    const words = name === 'errors' ? wordsByField(record.errors, depth) : errorWords(record[name], depth + 1);
    if (words !== null) return Array.isArray(record.loc) ? `${record.loc.join('.')}: ${words}` : words;
  }
  return null;
}

/** `{errors}` may be a list, or a record of what is wrong with each field. */
function wordsByField(errors: unknown, depth: number): string | null {
  const words = errorWords(errors, depth + 1);
  if (words !== null || !isObject(errors)) return words;
  const entries = Object.entries(errors).slice(0, MAX_ENTRIES);
  return joined(
    entries.map(([name, value]) => {
      const said = errorWords(value, depth + 2);
      return said === null ? null : `${name}: ${said}`;
    }),
  );
}

function codeOf(body: unknown, message: string | null): unknown {
  const code = fieldOf(body, CODES);
  if (code !== null) return code;
  // OAuth: `{error: 'invalid_grant', error_description: '…'}`.
  const error = isObject(body) ? body.error : null;
  return typeof error === 'string' && error !== message ? error : null;
}

/** The first of the named fields that is a text or a number, in the object or in those that it holds. */
function fieldOf(value: unknown, names: readonly string[], depth = 0): string | number | null {
  if (depth > MAX_DEPTH) return null;
  if (Array.isArray(value)) return fieldOf(value[0], names, depth + 1);
  if (!isObject(value)) return null;
  for (const name of names) {
    const field = value[name];
    if (typeof field === 'number' || (typeof field === 'string' && field !== '')) return field;
  }
  for (const name of NESTED) {
    const field = fieldOf(value[name], names, depth + 1);
    if (field !== null) return field;
  }
  return null;
}

function joined(words: readonly (string | null)[]): string | null {
  return words.filter((text) => text !== null).join('; ') || null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
