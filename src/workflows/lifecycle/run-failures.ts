import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';
import type { FaultReport } from '../../contract/input-fault.js';
import type { FailureType } from '../../contract/failures.js';
import { describeFaults } from '../../contract/parse-spec.js';

/** A failure of the run, of a type in the table of failures. */
export function runFailure(type: FailureType, message: string, details: unknown): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true, details: [details] });
}

export function invalidInput(report: FaultReport): ApplicationFailure {
  return runFailure('InvalidInput', describeFaults(report), report);
}

/** The words of whatever was thrown, for a warning. */
export function messageOf(error: unknown): string {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}

/** The failure inside an activity's failure, as the run's own: so that callers see its type without digging. */
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
