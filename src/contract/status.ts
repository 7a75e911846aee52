/**
 * The statuses of jobs, in lower case. Only a status that is listed here as an end ends a job. An unknown one is taken
 * as not terminal: the run warns and keeps waiting.
 */

/** Statuses of a batch, in the order in which a batch passes through them. */
export const BATCH_STATUSES = [
  'validating',
  'in_progress',
  'finalizing',
  'cancelling',
  'completed',
  'failed',
  'expired',
  'cancelled',
] as const;
export type BatchStatus = (typeof BATCH_STATUSES)[number];

export const BATCH_ENDS = ['completed', 'failed', 'expired', 'cancelled'] as const satisfies readonly BatchStatus[];
export type BatchEnd = (typeof BATCH_ENDS)[number];

/**
 * Statuses of a fine-tuning job. The API documents `paused` only in the example of the pause endpoint, not in its enum;
 * `cancelling` is what other providers answer to a cancel.
 */
export const FINE_TUNING_STATUSES = [
  'validating_files',
  'queued',
  'running',
  'paused',
  'cancelling',
  'succeeded',
  'failed',
  'cancelled',
] as const;
export type FineTuningStatus = (typeof FINE_TUNING_STATUSES)[number];

export const FINE_TUNING_ENDS = ['succeeded', 'failed', 'cancelled'] as const satisfies readonly FineTuningStatus[];
export type FineTuningEnd = (typeof FINE_TUNING_ENDS)[number];

export const isBatchEnd = (status: string): status is BatchEnd => (BATCH_ENDS as readonly string[]).includes(status);
export const isFineTuningEnd = (status: string): status is FineTuningEnd =>
  (FINE_TUNING_ENDS as readonly string[]).includes(status);

/** The meaning of the statuses of one kind of job. */
export interface StatusRules {
  /** Whether the job has ended. */
  readonly isEnd: (status: string) => boolean;
  /** Whether the API documents the status. */
  readonly isKnown: (status: string) => boolean;
  /** Whether a read with status `next` is older than the known status, because it came from a replica that lags. */
  readonly isStepBack: (known: string, next: string) => boolean;
}

/** A batch only moves forward. */
export const BATCH_STATUS_RULES = {
  isEnd: isBatchEnd,
  isKnown: (status) => rankOf(status) >= 0,
  isStepBack: (known, next) => rankOf(known) >= 0 && rankOf(next) >= 0 && rankOf(next) < rankOf(known),
} satisfies StatusRules;

/** A fine-tuning job may return to `queued` when it is resumed, but never to validating its files. */
export const FINE_TUNING_STATUS_RULES = {
  isEnd: isFineTuningEnd,
  isKnown: isKnownFineTuningStatus,
  isStepBack: (known, next) =>
    next === 'validating_files' && known !== 'validating_files' && isKnownFineTuningStatus(known),
} satisfies StatusRules;

function rankOf(batchStatus: string): number {
  return (BATCH_STATUSES as readonly string[]).indexOf(batchStatus);
}

function isKnownFineTuningStatus(status: string): boolean {
  return (FINE_TUNING_STATUSES as readonly string[]).includes(status);
}
