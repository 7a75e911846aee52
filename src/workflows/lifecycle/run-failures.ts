import { ActivityFailure, ApplicationFailure, isCancellation } from '@temporalio/workflow';
import { withoutStack } from '../../contract/failures.js';

/** The message of any error, for a warning. Of a failed activity it is the message of its last attempt. */
export function messageOf(error: unknown): string {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}

/**
 * The failure inside an activity's failure, as the run's failure, so that a caller sees its type without unwrapping.
 */
export function asRunFailure(error: unknown): unknown {
  if (!(error instanceof ActivityFailure) || !(error.cause instanceof ApplicationFailure)) return error;
  const { type, message, nonRetryable, details } = error.cause;
  // Without the activity's failure as its cause, which would say all of it twice more.
  return withoutStack(
    ApplicationFailure.create({
      ...(type && { type }),
      message,
      nonRetryable: nonRetryable ?? false,
      details: details ?? [],
    }),
  );
}

/** Whether a create failed with a clear refusal, so that there is no job. */
export function isRefusal(error: unknown): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof ApplicationFailure && cause.type === 'ApiRefused';
}

/**
 * The failure of an update, which says what did not happen and why.
 *
 * @param action such as `pause the job`
 * @param operation the call of the API that it makes, for the details
 */
export function asUpdateFailure(action: string, operation: string, error: unknown): unknown {
  if (isCancellation(error)) return error;
  const refused = error instanceof ActivityFailure ? error.cause : null;
  const details = refused instanceof ApplicationFailure ? refused.details : null;
  return withoutStack(
    ApplicationFailure.create({
      type: (refused instanceof ApplicationFailure && refused.type) || 'ApiUnavailable',
      message: `could not ${action}: ${typeof error === 'string' ? error : messageOf(error)}`,
      nonRetryable: true,
      details: details ?? [{ operation, status: null, code: null, type: null, param: null, requestId: null }],
    }),
  );
}
