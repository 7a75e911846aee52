import { ApplicationFailure, type ApplicationFailureCategory } from '@temporalio/common';
import type { FileRef } from './file-ref.js';
import type { FaultReport } from './input-fault.js';
import { describeFaults } from './parse-spec.js';

/**
 * The failure types. Callers in any language distinguish failures by them, since strings survive serialisation and
 * classes do not. `docs/reference/failures.md` contains the same table, and a test compares the two.
 */
export const FAILURES = {
  InvalidInput: {
    retryable: false,
    meaning: 'The spec or a file is wrong; nothing was created or paid for.',
    details: '{ faults: [{ line, field, message }], total }',
    next: 'Correct what the faults name, and start again: nothing was bought.',
  },
  InputChanged: {
    retryable: false,
    meaning:
      'A file of the input was changed or deleted after it was checked. Answers are kept, and none is assigned to another request.',
    details: '{ uri, parts }',
    next: 'Start again with the input as it is now. What was answered is in `parts`.',
  },
  BatchFailed: {
    retryable: false,
    meaning: 'The batch ended `failed` at the provider.',
    details: '{ batchId, errors: [{ code, line, message, param }] }',
    next: 'Correct what the errors name, and start again: a batch that failed has answered nothing.',
  },
  FineTuningFailed: {
    retryable: false,
    meaning: 'The fine-tuning job ended `failed` at the provider.',
    details: '{ jobId, error: { code, message, param } }',
    next: 'Correct what the error names, such as the training file or the model, and start again.',
  },
  ApiRefused: {
    retryable: false,
    meaning: 'Refused before there was a job: bad key, no permission, no quota, unknown model, moderation.',
    details: '{ operation, status, code, type, param, requestId }',
    next: 'Correct the key, the permission, the quota or the model, and start again: nothing was created.',
  },
  ApiUnavailable: {
    retryable: true,
    meaning: 'The provider could not answer; the call is retried for as long as the job can live.',
    details: '{ operation, status, code, type, param, requestId }',
    next: 'Nothing: it is retried.',
  },
  WaitingForCapacity: {
    retryable: true,
    meaning:
      'The provider has no free slot, or a daily limit is reached; the create is retried until there is capacity.',
    details: '{ operation, status, code, type, param, requestId }',
    next: 'Nothing: it is retried. Cancel the run if it should not wait.',
  },
  NothingNew: {
    retryable: true,
    meaning: 'Not an error: the job has not changed since the last poll, or a part still waits for capacity (benign).',
    details: '{ status, counts or steps, checkedAt }',
    next: 'Nothing.',
  },
  NotSettled: {
    retryable: true,
    meaning:
      'The job has ended, but its results do not yet account for what the provider counts; they are read again (benign).',
    details: '{ jobId, lacks }',
    next: 'Nothing: the results are read again.',
  },
  AmbiguousCreate: {
    retryable: false,
    meaning:
      'It is unknown whether a create succeeded, and the job cannot be looked up: no metadata is kept, or its list is refused.',
    details: '{ operation, lookFor }',
    next: 'Look for the job at the provider by `lookFor`. If it is not there, start again.',
  },
  JobVanished: {
    retryable: false,
    meaning: 'The provider answered 404 for the job for longer than `vanishedAfter`.',
    details: '{ jobId, missingSince, lastStatus }',
    next: 'Ask the provider about the job. Start again only if it was not carried out.',
  },
  JobStuck: {
    retryable: false,
    meaning: 'The job had not ended `stuckAfter` after expiry or a cancel, or had no answer for `giveUpAfter`.',
    details: '{ jobId, status, since, atProvider, result }',
    next: 'Look at the job at the provider; its results so far are in `result`. Start again only when it can no longer end.',
  },
  StorageRefused: {
    retryable: false,
    meaning:
      "A URI is outside the worker's storage roots, does not exist, or has a scheme that the worker does not support.",
    details: '{ code, uri }',
    next: "Correct the URI, or add its root to the worker's storage, and start again.",
  },
  StorageUnavailable: {
    retryable: true,
    meaning: 'Storage could not be read or written; the activity is retried.',
    details: '{ code, uri }',
    next: 'Nothing: it is retried. See to it that the worker reaches its storage.',
  },
  UnknownProvider: {
    retryable: false,
    meaning: 'The spec names a provider that is not configured at the worker.',
    details: '{ provider, known }',
    next: 'Name one of `known`, or add the provider to the worker, and start again.',
  },
  WorkerStopped: {
    retryable: true,
    meaning: 'The worker shut down during an activity; the next attempt, on any worker, takes over.',
    details: 'none',
    next: 'Nothing: another worker takes over.',
  },
  UnexpectedError: {
    retryable: true,
    meaning: 'An unexpected error in an activity; it is retried, since a corrected worker can continue the run.',
    details: '{ name }',
    next: 'Nothing: it is retried. Report it with its message; an updated worker continues the run.',
  },
} as const satisfies Record<string, { retryable: boolean; meaning: string; details: string; next: string }>;

/** The type of a failure, the same in every language. */
export type FailureType = keyof typeof FAILURES;

/** The provider's reply to a call that failed. A field is null if the reply does not have it. */
export interface ApiErrorDetails {
  /** The call by its name in the SDK, such as `batches.create`. */
  readonly operation: string;
  /** HTTP status; null if there was no readable reply. */
  readonly status: number | null;
  /** The provider's code, such as `invalid_api_key`. */
  readonly code: string | null;
  /** The provider's type, such as `invalid_request_error`. */
  readonly type: string | null;
  /** The field that the provider complains of. */
  readonly param: string | null;
  /** Id of the request, for the provider's support. */
  readonly requestId: string | null;
}

/**
 * First entry of a failure's `details`, by type. `result` is what was collected before the failure; null if nothing
 * was.
 */
export interface FailureDetails {
  InvalidInput: FaultReport;
  /**
   * `parts` is the JSONL file with one line for each batch of a bulk batch so far: its counts and the URIs of its
   * answers. Null before there is one.
   */
  InputChanged: { readonly uri: string; readonly parts: FileRef | null };
  BatchFailed: { readonly batchId: string; readonly errors: readonly unknown[]; readonly result?: unknown };
  FineTuningFailed: { readonly jobId: string; readonly error: unknown };
  ApiRefused: ApiErrorDetails;
  ApiUnavailable: ApiErrorDetails;
  WaitingForCapacity: ApiErrorDetails;
  NothingNew: { readonly status: string; readonly checkedAt?: number } & Readonly<Record<string, unknown>>;
  NotSettled: { readonly jobId: string; readonly lacks: readonly string[] };
  AmbiguousCreate: { readonly operation: string; readonly lookFor: Readonly<Record<string, unknown>> };
  JobVanished: { readonly jobId: string; readonly missingSince: number | null; readonly lastStatus: string };
  JobStuck: {
    readonly jobId: string;
    /** The status that was last read: an end where only the results could not be collected. */
    readonly status: string;
    /** Epoch seconds: when the job counted as stuck, or since when there has been no answer. */
    readonly since: number;
    /** Ids of the results at the provider, as far as they are known. */
    readonly atProvider: Readonly<Record<string, unknown>>;
    readonly result: unknown;
  };
  StorageRefused: { readonly code: string; readonly uri: string };
  StorageUnavailable: { readonly code: string; readonly uri: string };
  UnknownProvider: { readonly provider: string; readonly known: readonly string[] };
  WorkerStopped: null;
  UnexpectedError: { readonly name: string };
}

/** A failure of an activity or a workflow. Its type decides whether Temporal retries it. */
export function failure<Type extends FailureType>(
  type: Type,
  message: string,
  details: FailureDetails[Type],
  options: {
    /**
     * Milliseconds until the next attempt.
     * @default by the activity's retry policy
     */
    readonly nextRetryDelay?: number;
    readonly category?: ApplicationFailureCategory;
  } = {},
): ApplicationFailure {
  return withoutStack(
    ApplicationFailure.create({
      type,
      message,
      nonRetryable: !FAILURES[type].retryable,
      details: details === null ? [] : [details],
      ...options,
    }),
  );
}

/** The UI and the CLI print the stack of a failure before anything else. It tells a user of the library nothing. */
export function withoutStack(made: ApplicationFailure): ApplicationFailure {
  made.stack = '';
  return made;
}

/** `InvalidInput`, with the first fault in its message. */
export function invalidInput(report: FaultReport, prefix = ''): ApplicationFailure {
  return failure('InvalidInput', `${prefix}${describeFaults(report)}`, report);
}

/** `InvalidInput` for one fault of a field, or of the input as a whole (null). */
export function invalidField(field: string | null, message: string): ApplicationFailure {
  return invalidInput({ faults: [{ ...(field !== null && { field }), message }], total: 1 });
}
