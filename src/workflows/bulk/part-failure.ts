import {
  ApplicationFailure,
  CancelledFailure,
  TerminatedFailure,
  TimeoutFailure,
  type ChildWorkflowFailure,
} from '@temporalio/workflow';
import type { PartOutcome } from '../../contract/part.js';
import type { BatchResult } from '../../contract/batch.js';
import { bounded } from '../../contract/text.js';

/** What is known of a part whose run failed. */
export type FailedPart = Pick<PartOutcome, 'batchId' | 'status' | 'output' | 'errors' | 'lines' | 'failure'>;

/** Of the results that a part brought. */
export function resultUris({ output, errors, lines }: Pick<BatchResult, 'output' | 'errors' | 'lines'>) {
  return { output: output?.uri ?? null, errors: errors?.uri ?? null, lines };
}

/**
 * What a part's failed run tells. Requests of a batch that may still be run, or that was refused for good, are not sent again; those of
 * a batch that the provider gave up as a whole are: what it did answer is among its results.
 *
 * @param kept the results of a run that ended without a word, where it had some
 */
export function outcomeOfFailedPart(
  error: ChildWorkflowFailure,
  requests: number,
  kept: BatchResult | null,
): FailedPart {
  const { type, message, details } = reasonOf(error);
  const result = details.result ?? kept;
  const isAccountedFor = kept !== null || type === 'BatchFailed';
  return {
    batchId: details.batchId ?? details.jobId ?? result?.batchId ?? null,
    status: 'failed',
    ...(result ? resultUris(result) : nothing(requests)),
    failure: { type, message: bounded(message, 500), isFinal: !isAccountedFor },
  };
}

const nothing = (requests: number) => ({
  output: null,
  errors: null,
  lines: { succeeded: 0, failed: 0, unfinished: requests, missing: 0 },
});

interface Reason {
  readonly type: string;
  readonly message: string;
  readonly details: { readonly batchId?: string; readonly jobId?: string; readonly result?: BatchResult | null };
}

function reasonOf({ cause, message }: ChildWorkflowFailure): Reason {
  const isSpoken = cause instanceof ApplicationFailure;
  if (!isSpoken)
    return { type: kindOf(cause), message: `its run was ended: ${cause?.message ?? message}`, details: {} };
  const [details] = (cause.details ?? []) as [Reason['details']?];
  return { type: cause.type ?? 'UnexpectedError', message: cause.message, details: details ?? {} };
}

function kindOf(cause: Error | undefined): string {
  if (cause instanceof CancelledFailure) return 'Cancelled';
  if (cause instanceof TerminatedFailure) return 'Terminated';
  return cause instanceof TimeoutFailure ? 'TimedOut' : 'Failed';
}

/** Whether the run ended without a word of its own: somebody cancelled or terminated it. */
export function endedByOperator({ cause }: ChildWorkflowFailure): boolean {
  return !(cause instanceof ApplicationFailure);
}
