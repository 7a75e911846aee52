/** Errors that the SDK throws, read into `ApiError`s. */
import { APIError, APIUserAbortError, OpenAIError } from 'openai';
import { bounded } from '../contract/text.js';
import { RequestAbandoned, UnusableReply } from './guarded-fetch.js';
import { redact } from './redact.js';
import { errorWithoutReply, isSdkError, KEY_UNREADABLE, type ApiError } from './reply.js';
import { retryAfterMs } from './retry-after.js';

/** Longest code, type, parameter or request id that is kept, in characters. */
const MAX_FIELD_LENGTH = 200;

/** Reads an error of the SDK. Null for any other error, such as a bug, an error of storage or a cancellation. */
export function toApiError(error: unknown, secrets: readonly string[]): ApiError | null {
  const clean = (text: string) => bounded(redact(text, secrets));
  if (isBrokenReply(error)) {
    return errorWithoutReply(clean(`the reply broke off${networkReasonOf(error)}`), 'unreadable_reply');
  }
  const keyProblem = keyProblemOf(error);
  if (keyProblem !== null) return errorWithoutReply(clean(`the API key cannot be read: ${keyProblem}`), KEY_UNREADABLE);
  if (!isApiError(error) || isAbort(error)) return null;
  // The SDK wraps what `fetch` throws.
  if (error.cause instanceof UnusableReply) return errorWithoutReply(clean(error.cause.message), error.cause.code);
  // A connection error has neither status nor headers, and its reason is only in `cause`.
  if (typeof error.status !== 'number') {
    return errorWithoutReply(clean(`${error.message}${networkReasonOf(error)}`));
  }
  // A `fetch` that the user supplies may return headers that are not of the global class.
  const headers = typeof error.headers?.get === 'function' ? error.headers : undefined;
  const shouldRetry = headers?.get('x-should-retry');
  return {
    status: error.status,
    code: field(error.code),
    type: field(error.type),
    param: field(error.param),
    message: clean(withoutHtml(error.message)),
    requestId: field(error.requestID),
    retryAfterMs: retryAfterMs(headers, Date.now()),
    shouldRetry: shouldRetry === 'true' ? true : shouldRetry === 'false' ? false : null,
  };

  function field(value: unknown): string | null {
    // Some providers use numbers as codes.
    const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
    return text === '' ? null : bounded(redact(text, secrets), MAX_FIELD_LENGTH);
  }
}

function isApiError(error: unknown): error is APIError {
  return error instanceof APIError || isSdkError(error);
}

/** How the SDK begins what it says of a function that is to return the key or a token. */
const KEY_FUNCTION = /^(?:Failed to get token from 'apiKey' function: |(?=Expected 'apiKey' function))/;

/** Why a client has no key at the moment; null for any other error. Nothing was sent. */
function keyProblemOf(error: unknown): string | null {
  return error instanceof OpenAIError && KEY_FUNCTION.test(error.message)
    ? error.message.replace(KEY_FUNCTION, '')
    : null;
}

/** Whether the caller aborted the request, because the activity was cancelled or its worker shuts down. */
function isAbort(error: APIError): boolean {
  return (
    error instanceof APIUserAbortError ||
    error.constructor.name === 'APIUserAbortError' ||
    error.cause instanceof RequestAbandoned
  );
}

/** Whether a reply began well and was cut: the SDK passes on the error of `fetch` or of the JSON parser unchanged. */
function isBrokenReply(error: unknown): error is Error {
  return (error instanceof TypeError && error.message === 'terminated') || error instanceof SyntaxError;
}

/** The network's reason for an error, in brackets; empty if there is none. */
function networkReasonOf({ cause }: Error): string {
  if (!(cause instanceof Error)) return '';
  return ` (${cause.message}${cause.cause instanceof Error ? `: ${cause.cause.message}` : ''})`;
}

/** Reduces a proxy's error page to its title, the only part of it that helps. */
function withoutHtml(message: string): string {
  if (!/<(!doctype|html|head|body)/i.test(message)) return message;
  const title = /<title>([^<]{1,200})/i.exec(message)?.[1]?.trim();
  return `${/^\d{3}/.exec(message)?.[0] ?? ''} an HTML page instead of JSON${title ? `: "${title}"` : ''}`.trim();
}
