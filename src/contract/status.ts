/**
 * The status tables. Ends are allow-listed: only a status named here as terminal ends a job, and an unknown one means
 * "not terminal, warn, go on". Statuses arrive folded to lower case.
 */

/** Statuses of a batch in the API's words, in the order in which a batch passes through them. */
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

/** Statuses of a fine-tuning job. `paused` is in no official enum but in the pause endpoint's example. */
export const FINE_TUNING_STATUSES = [
  'validating_files',
  'queued',
  'running',
  'paused',
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

/** What the statuses of one kind of job mean. */
export interface StatusRules {
  /** Whether the job has ended. */
  readonly isEnd: (status: string) => boolean;
  /** Whether the API documents the status. */
  readonly isKnown: (status: string) => boolean;
  /** Whether a read that says `next` is older than the status already known: a replica that lags. */
  readonly isStepBack: (known: string, next: string) => boolean;
}

/** A batch only moves forward. */
export const BATCH_STATUS_RULES = {
  isEnd: isBatchEnd,
  isKnown: (status) => rankOf(status) >= 0,
  isStepBack: (known, next) => rankOf(known) >= 0 && rankOf(next) >= 0 && rankOf(next) < rankOf(known),
} satisfies StatusRules;

/** A fine-tuning job may go back to `queued` when it is resumed, but never back to validating its files. */
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
