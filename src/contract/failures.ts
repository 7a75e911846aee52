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
