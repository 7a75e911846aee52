/**
 * Words of other providers for the statuses of jobs, and what they mean: those of Azure, Together and Mistral, and
 * spellings that are common. Ends are listed one by one: a word that is not here ends no job. The trait `statusWords`
 * adds those of a provider.
 */
import type { BatchStatus, FineTuningStatus } from '../../contract/status.js';

const words = <Status extends string>(meanings: Partial<Record<Status, readonly string[]>>) =>
  new Map<string, string>(
    Object.entries(meanings as Record<string, readonly string[]>).flatMap(([status, names]) =>
      names.map((name) => [name, status] as const),
    ),
  );

export const BATCH_STATUS_WORDS = words<BatchStatus>({
  validating: ['queued', 'pending'],
  in_progress: ['in_progress', 'running', 'processing'],
  cancelling: ['canceling', 'cancel_requested', 'cancellation_requested'],
  completed: ['success', 'succeeded', 'complete'],
  failed: ['failure', 'error', 'errored'],
  expired: ['timeout_exceeded', 'timed_out', 'timeout'],
  cancelled: ['canceled'],
});

/** Together trains in several steps, and Mistral has statuses of its own for the validation. */
export const FINE_TUNING_STATUS_WORDS = words<FineTuningStatus>({
  validating_files: ['validating'],
  queued: ['pending', 'validated', 'notrunning', 'not_running'],
  running: ['started', 'in_progress', 'processing', 'compressing', 'uploading'],
  cancelling: ['canceling', 'cancel_requested', 'cancellation_requested'],
  succeeded: ['success', 'completed', 'complete'],
  failed: ['failure', 'error', 'errored', 'failed_validation', 'timeout_exceeded'],
  cancelled: ['canceled'],
});
