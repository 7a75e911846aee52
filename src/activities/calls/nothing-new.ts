import { type ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { failure, type FailureDetails } from '../../contract/failures.js';

/** The benign failure of an attempt that found nothing new: the next one looks again. Attempts are not events. */
export function nothingNew(
  what: string,
  details: FailureDetails['NothingNew'],
  nextLookMs: number,
): ApplicationFailure {
  const message = `${what}; next look in ${Math.max(1, Math.round(nextLookMs / 1_000))} s`;
  return failure('NothingNew', message, details, {
    category: ApplicationFailureCategory.BENIGN,
    nextRetryDelay: nextLookMs,
  });
}
