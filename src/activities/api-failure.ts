/** Errors of the API become Temporal failures here, and nowhere else. */
import { ApplicationFailure } from '@temporalio/common';
import { APIConnectionError, APIError } from 'openai';
import { judge, type ApiError, type Operation, type Verdict } from '../jobs/api-errors.js';
import type { FailureType } from '../jobs/failures.js';
import { retryAfterMs } from '../jobs/retry-after.js';
import { bounded } from '../jobs/text.js';
import { redact } from '../providers/redact.js';

const TYPE_OF: Record<Verdict, FailureType> = {
  refused: 'ApiRefused',
  unavailable: 'ApiUnavailable',
  noRoom: 'WaitingForRoom',
};

/** A slot frees up in minutes at best, a daily limit in hours. */
const NO_ROOM_DELAY_MS = 60_000;

const textOrNull = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

/** Reads an error of the SDK. Null where the error is something else: a bug, storage, a cancellation. */
export function readApiError(error: unknown, secrets: readonly string[]): ApiError | null {
  if (!(error instanceof APIError)) return null;
  const clean = (text: string) => bounded(redact(text, secrets));
  // A connection error has no status, no headers, and its reason only in `cause`.
  if (error instanceof APIConnectionError) {
    const reason = error.cause instanceof Error ? describeCause(error.cause) : '';
    return {
      status: null,
      code: null,
      type: null,
      param: null,
      message: clean(`${error.message}${reason && ` (${reason})`}`),
      requestId: null,
      retryAfterMs: null,
      shouldRetry: null,
    };
  }
  const headers = error.headers instanceof Headers ? error.headers : undefined;
  const shouldRetry = headers?.get('x-should-retry');
  return {
    status: typeof error.status === 'number' ? error.status : null,
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

function describeCause(cause: Error): string {
  const inner = cause.cause instanceof Error ? `: ${cause.cause.message}` : '';
  return `${cause.message}${inner}`;
}

/** A proxy's error page says nothing but its title. */
function withoutHtml(message: string): string {
  if (!/<(!doctype|html|head|body)/i.test(message)) return message;
  const title = /<title>([^<]{1,200})/i.exec(message)?.[1]?.trim();
  return `${/^\d{3}/.exec(message)?.[0] ?? ''} an HTML page instead of JSON${title ? `: "${title}"` : ''}`.trim();
}

/** The failure of a call that the API answered with an error, by the table in `jobs/api-errors.ts`. */
export function apiFailure(operation: Operation, error: ApiError, attempt: number): ApplicationFailure {
  const verdict = judge(operation, error, attempt);
  const delay = error.retryAfterMs ?? (verdict === 'noRoom' ? NO_ROOM_DELAY_MS : null);
  const status = error.status === null ? 'no answer' : `HTTP ${error.status}`;
  return ApplicationFailure.create({
    type: TYPE_OF[verdict],
    message: `${operation}: ${status}${error.code ? ` ${error.code}` : ''}: ${error.message}`,
    nonRetryable: verdict === 'refused',
    ...(verdict !== 'refused' && delay !== null && { nextRetryDelay: Math.max(1, delay) }),
    details: [
      {
        operation,
        status: error.status,
        code: error.code,
        type: error.type,
        param: error.param,
        requestId: error.requestId,
      },
    ],
  });
}
