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
export const isKnownBatchStatus = (status: string): status is BatchStatus =>
  (BATCH_STATUSES as readonly string[]).includes(status);
export const isKnownFineTuningStatus = (status: string): status is FineTuningStatus =>
  (FINE_TUNING_STATUSES as readonly string[]).includes(status);

/**
 * Whether a read that says `next` is older than what is already known: a replica that lags behind. A batch only moves
 * forward; a fine-tuning job may go back to `queued` (resume), but never back to validating its files.
 */
export function isStepBack(kind: 'batch' | 'fineTuning', known: string, next: string): boolean {
  if (kind === 'fineTuning') {
    return next === 'validating_files' && known !== 'validating_files' && isKnownFineTuningStatus(known);
  }
  const [from, to] = [known, next].map((status) => (BATCH_STATUSES as readonly string[]).indexOf(status)) as [
    number,
    number,
  ];
  return from >= 0 && to >= 0 && to < from;
}
