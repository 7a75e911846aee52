import { ApplicationFailure, type ApplicationFailureCategory } from '@temporalio/common';
import type { FaultReport } from './input-fault.js';
import { describeFaults } from './parse-spec.js';

/**
 * The failure types, by which callers in any language tell failures apart: classes do not survive serialisation, strings do.
 * `docs/reference/failures.md` and the README hold the same table; a test keeps them together.
 */

export const FAILURES = {
  InvalidInput: {
    retryable: false,
    meaning: 'The spec or a file is wrong; nothing was created or paid for.',
    details: '{ faults: [{ line, field, message }], total }',
  },
  BatchFailed: {
    retryable: false,
    meaning: 'The batch ended `failed` at the provider.',
    details: '{ batchId, errors: [{ code, line, message, param }] }',
  },
  FineTuningFailed: {
    retryable: false,
    meaning: 'The fine-tuning job ended `failed` at the provider.',
    details: '{ jobId, error: { code, message, param } }',
  },
  ApiRefused: {
    retryable: false,
    meaning: 'The provider refused for good: bad key, no permission, no quota, unknown model, moderation.',
    details: '{ operation, status, code, type, param, requestId }',
  },
  ApiUnavailable: {
    retryable: true,
    meaning: 'The provider could not answer now; retried for as long as the job can live.',
    details: '{ operation, status, code, type, param, requestId }',
  },
  WaitingForCapacity: {
    retryable: true,
    meaning: 'The provider has no slot, or a daily limit is reached; the create waits its turn.',
    details: '{ operation, status, code, type, param, requestId }',
  },
  NothingNew: {
    retryable: true,
    meaning: 'Not a failure: the job has not changed since the last look (benign).',
    details: '{ status, counts or steps, checkedAt }',
  },
  AmbiguousCreate: {
    retryable: false,
    meaning: 'It cannot be known whether a create succeeded, and the provider has no metadata to look for it.',
    details: '{ operation, lookFor }',
  },
  JobVanished: {
    retryable: false,
    meaning: 'The provider answered 404 for the job for longer than `vanishedAfter`.',
    details: '{ jobId, missingSince, lastStatus }',
  },
  JobStuck: {
    retryable: false,
    meaning: 'The job had no end long after it expired or was cancelled (`stuckAfter`); what it had is collected.',
    details: '{ jobId, status, since, result }',
  },
  StorageRefused: {
    retryable: false,
    meaning:
      "A URI lies outside the worker's storage roots, does not exist, or has a scheme the worker does not serve.",
    details: '{ code, uri }',
  },
  StorageUnavailable: {
    retryable: true,
    meaning: 'Storage could not be read or written now.',
    details: '{ code, uri }',
  },
  UnknownProvider: {
    retryable: false,
    meaning: 'The spec names a provider that the worker does not have.',
    details: '{ provider, known }',
  },
  WorkerStopped: {
    retryable: true,
    meaning: 'The worker stopped in the middle of an activity; the next attempt, on whatever worker, takes over.',
    details: 'none',
  },
  UnexpectedError: {
    retryable: true,
    meaning: 'An unexpected error inside an activity; retried, since a fixed worker can go on where this one stopped.',
    details: '{ name }',
  },
} as const satisfies Record<string, { retryable: boolean; meaning: string; details: string }>;

export type FailureType = keyof typeof FAILURES;

/** The provider's words on a call that failed; each null where it gives none. */
export interface ApiErrorDetails {
  /** The call, named as in the SDK, such as `batches.create`. */
  readonly operation: string;
  /** HTTP status; null where there was no readable answer. */
  readonly status: number | null;
  readonly code: string | null;
  readonly type: string | null;
  readonly param: string | null;
  readonly requestId: string | null;
}

/** First entry of a failure's `details`, by type. `result` is what was collected before the failure, null where nothing was. */
export interface FailureDetails {
  InvalidInput: FaultReport;
  BatchFailed: { readonly batchId: string; readonly errors: readonly unknown[]; readonly result?: unknown };
  FineTuningFailed: { readonly jobId: string; readonly error: unknown };
  ApiRefused: ApiErrorDetails;
  ApiUnavailable: ApiErrorDetails;
  WaitingForCapacity: ApiErrorDetails;
  NothingNew: { readonly status: string; readonly checkedAt: number } & Readonly<Record<string, unknown>>;
  AmbiguousCreate: { readonly operation: string; readonly lookFor: Readonly<Record<string, unknown>> };
  JobVanished: { readonly jobId: string; readonly missingSince: number | null; readonly lastStatus: string };
  JobStuck: { readonly jobId: string; readonly status: string; readonly since: number; readonly result: unknown };
  StorageRefused: { readonly code: string; readonly uri: string };
  StorageUnavailable: { readonly code: string; readonly uri: string };
  UnknownProvider: { readonly provider: string; readonly known: readonly string[] };
  WorkerStopped: null;
  UnexpectedError: { readonly name: string };
}

/** A failure of an activity or a workflow. Whether Temporal retries it is told by its type. */
export function failure<Type extends FailureType>(
  type: Type,
  message: string,
  details: FailureDetails[Type],
  options: {
    /** Milliseconds until the next attempt. Default: by the activity's retry policy. */
    readonly nextRetryDelay?: number;
    readonly category?: ApplicationFailureCategory;
  } = {},
): ApplicationFailure {
  return ApplicationFailure.create({
    type,
    message,
    nonRetryable: !FAILURES[type].retryable,
    details: details === null ? [] : [details],
    ...options,
  });
}

/** `InvalidInput`, with the first fault in its message. */
export function invalidInput(report: FaultReport, prefix = ''): ApplicationFailure {
  return failure('InvalidInput', `${prefix}${describeFaults(report)}`, report);
}

/** `InvalidInput` for one fault that is no line's. */
export function invalidField(field: string | null, message: string): ApplicationFailure {
  return invalidInput({ faults: [{ ...(field !== null && { field }), message }], total: 1 });
}
