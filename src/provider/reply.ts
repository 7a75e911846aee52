/** Replies of the API: the value that was asked for, or the API's error. */
import type { z } from 'zod';
import { safeParse } from '../contract/safe-parse.js';
import { bounded } from '../contract/text.js';
import { errorWords } from './error-body.js';

/** An error reply, reduced to what something depends on. */
export interface ApiError {
  /** HTTP status; null where there was no readable reply: a reset, a time-out, a refused connection. */
  readonly status: number | null;
  readonly code: string | null;
  readonly type: string | null;
  readonly param: string | null;
  readonly message: string;
  readonly requestId: string | null;
  /** Milliseconds that the reply asks to wait; null where it does not say. */
  readonly retryAfterMs: number | null;
  /** The reply's `x-should-retry`; null where it does not say. */
  readonly shouldRetry: boolean | null;
}

/** The value, or the API's error: for calls whose errors mean something to the caller, such as 404 or 409. */
export type Reply<T> =
  { readonly value: T; readonly error?: undefined } | { readonly value?: undefined; readonly error: ApiError };

/** The code of an error of a request that was not sent, since its key could not be read. */
export const KEY_UNREADABLE = 'key_unreadable';

/** An error without a readable reply. The request may have been carried out. */
export function errorWithoutReply(message: string, code: string | null = null): ApiError {
  return {
    status: null,
    code,
    type: null,
    param: null,
    message,
    requestId: null,
    retryAfterMs: null,
    shouldRetry: null,
  };
}

/**
 * The reply as the schema reads it. A value that the schema does not accept (a proxy's page, a cut body) counts as a
 * call without a readable reply.
 */
export function parseReply<T>(schema: z.ZodType<T>, reply: Reply<unknown>): Reply<T> {
  if (reply.error) return reply;
  const reading = safeParse(schema, reply.value);
  if (reading.success) return { value: reading.data };
  const fields = reading.error.issues.map((issue) => issue.path.join('.') || '(the reply)');
  const said = isErrorObject(reply.value) ? errorWords(reply.value) : null;
  const words = said === null ? '' : `; the provider says: ${bounded(said, MAX_WORDS)}`;
  const message = `unexpected reply: missing or invalid ${fields.slice(0, 5).join(', ')}${words}`;
  return { error: errorWithoutReply(message, 'unreadable_reply') };
}

/** Longest text of an error in a reply of status 200 that is kept, in characters. */
const MAX_WORDS = 500;

/** Gateways send errors with status 200, too. Objects of the API have ids, and may have an `error` of their own. */
function isErrorObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !('id' in value) && !('data' in value);
}

/**
 * Recognises errors of any copy of the SDK by their fields, without loading it: a client made by `require('openai')`
 * throws classes that the imported module does not know.
 */
export function isSdkError(error: unknown): error is Error & { readonly status?: number } {
  return error instanceof Error && ['status', 'headers', 'requestID', 'error'].every((name) => name in error);
}

/** The HTTP status of an error that the SDK threw; null for an error without one. */
export function httpStatusOf(error: unknown): number | null {
  return isSdkError(error) && typeof error.status === 'number' ? error.status : null;
}
