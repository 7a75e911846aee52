/** Errors of the API become Temporal failures here, and nowhere else. */
import type { ApplicationFailure } from '@temporalio/common';
import { APIError, APIUserAbortError } from 'openai';
import { classify, type ApiError, type Operation, type Verdict } from '../../provider/error-table.js';
import { failure } from '../../contract/failures.js';
import { retryAfterMs } from '../../provider/retry-after.js';
import { bounded } from '../../contract/text.js';
import { redact } from '../../provider/redact.js';

const TYPE_OF = {
  refused: 'ApiRefused',
  unavailable: 'ApiUnavailable',
  noCapacity: 'WaitingForCapacity',
} as const satisfies Record<Verdict, string>;

/** A slot frees up in minutes at best, a daily limit in hours. */
const NO_CAPACITY_DELAY_MS = 60_000;

/** Some providers have numbers for codes. */
const textOrNull = (value: unknown): string | null =>
  (typeof value === 'string' && value !== '') || typeof value === 'number' ? String(value) : null;

/** Reads an error of the SDK. Null where the error is something else: a bug, storage, a cancellation. */
export function toApiError(error: unknown, secrets: readonly string[]): ApiError | null {
  const clean = (text: string) => bounded(redact(text, secrets));
  if (isBrokenReply(error)) return unanswered(clean(`the reply broke off${reasonOf(error)}`), 'unreadable_reply');
  if (!isApiError(error) || isAbort(error)) return null;
  // A connection error has no status, no headers, and its reason only in `cause`.
  if (typeof error.status !== 'number') return unanswered(clean(`${error.message}${reasonOf(error)}`), null);
  // With a `fetch` of the user's own, not the global class of headers.
  const headers = typeof error.headers?.get === 'function' ? error.headers : undefined;
  const shouldRetry = headers?.get('x-should-retry');
  return {
    status: error.status,
    code: bound(error.code),
    type: bound(error.type),
    param: bound(error.param),
    message: clean(withoutHtml(error.message)),
    requestId: bound(error.requestID),
    retryAfterMs: retryAfterMs(headers, Date.now()),
    shouldRetry: shouldRetry === 'true' ? true : shouldRetry === 'false' ? false : null,
  };

  function bound(value: unknown): string | null {
    const text = textOrNull(value);
    return text === null ? null : bounded(redact(text, secrets), 200);
  }
}

/**
 * An error of the SDK, whichever copy of it: a client that was made by `require('openai')` throws classes that the `import`ed
 * module does not know.
 */
function isApiError(error: unknown): error is APIError {
  if (error instanceof APIError) return true;
  return error instanceof Error && ['status', 'headers', 'requestID', 'error'].every((field) => field in error);
}

/** The activity itself was cancelled, or its worker stops: no word of the API. */
function isAbort(error: APIError): boolean {
  return error instanceof APIUserAbortError || error.constructor.name === 'APIUserAbortError';
}

/** A reply that began well and was cut: the SDK passes on the error of whoever read its body, `fetch` or the JSON parser. */
function isBrokenReply(error: unknown): error is Error {
  return (error instanceof TypeError && error.message === 'terminated') || error instanceof SyntaxError;
}

function unanswered(message: string, code: string | null): ApiError {
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

/** The reason of the network, in brackets. */
function reasonOf({ cause }: Error): string {
  if (!(cause instanceof Error)) return '';
  return ` (${cause.message}${cause.cause instanceof Error ? `: ${cause.cause.message}` : ''})`;
}

/** A proxy's error page says nothing but its title. */
function withoutHtml(message: string): string {
  if (!/<(!doctype|html|head|body)/i.test(message)) return message;
  const title = /<title>([^<]{1,200})/i.exec(message)?.[1]?.trim();
  return `${/^\d{3}/.exec(message)?.[0] ?? ''} an HTML page instead of JSON${title ? `: "${title}"` : ''}`.trim();
}

/** The failure of a call that the API answered with an error, by the table in `provider/error-table.ts`. */
export function apiFailure(operation: Operation, error: ApiError, attempt: number): ApplicationFailure {
  const verdict = classify(operation, error, attempt);
  const delay = error.retryAfterMs ?? (verdict === 'noCapacity' ? NO_CAPACITY_DELAY_MS : null);
  const answer = error.status === null ? 'no answer' : `HTTP ${error.status}`;
  const { status, code, type, param, requestId } = error;
  return failure(
    TYPE_OF[verdict],
    `${operation}: ${answer}${code ? ` ${code}` : ''}: ${error.message}`,
    { operation, status, code, type, param, requestId },
    { ...(verdict !== 'refused' && delay !== null && { nextRetryDelay: Math.max(1, delay) }) },
  );
}
