import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';

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
  return ApplicationFailure.create({
    ...(type && { type }),
    message,
    nonRetryable: nonRetryable ?? false,
    details: details ?? [],
    cause: error,
  });
}
