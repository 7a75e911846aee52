/** Errors of the API become Temporal failures here, and nowhere else. */
import type { ApplicationFailure } from '@temporalio/common';
import { failure, type ApiErrorDetails } from '../../contract/failures.js';
import { classify, type Operation, type Verdict } from '../../provider/error-table.js';
import type { ApiError } from '../../provider/reply.js';

const TYPE_OF = {
  refused: 'ApiRefused',
  unavailable: 'ApiUnavailable',
  noCapacity: 'WaitingForCapacity',
} as const satisfies Record<Verdict, string>;

/**
 * Delay of the next attempt without capacity: a slot becomes free within minutes at best, a daily limit within hours.
 */
export const NO_CAPACITY_DELAY_MS = 60_000;

/** Longest wait before a cancel is sent again, whatever the provider asks for: until then the job costs money. */
const MAX_CANCEL_DELAY_MS = 60_000;

/** The failure of a call that the API answered with an error, by the table in `provider/error-table.ts`. */
export function apiFailure(operation: Operation, error: ApiError, attempt: number): ApplicationFailure {
  const verdict = classify(operation, error, attempt);
  const asked = error.retryAfterMs ?? (verdict === 'noCapacity' ? NO_CAPACITY_DELAY_MS : null);
  const delay = asked !== null && operation.endsWith('.cancel') ? Math.min(asked, MAX_CANCEL_DELAY_MS) : asked;
  const { status, code, type, param, requestId } = error;
  const details: ApiErrorDetails = { operation, status, code, type, param, requestId };
  return failure(TYPE_OF[verdict], `${operation}: ${describe(error)}`, details, {
    ...(verdict !== 'refused' && delay !== null && { nextRetryDelay: Math.max(1, delay) }),
  });
}

function describe({ status, code, message }: ApiError): string {
  if (status !== null) {
    // The SDK puts the status in front of the provider's words.
    const words = message.replace(new RegExp(`^${status} `), '');
    return `HTTP ${status}${code === null ? '' : ` ${code}`}: ${words}`;
  }
  // An error without a status has a code only if there was an answer, which the message then describes.
  return code === null ? `no answer: ${message}` : message;
}
