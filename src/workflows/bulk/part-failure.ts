import {
  ApplicationFailure,
  CancelledFailure,
  TerminatedFailure,
  TimeoutFailure,
  type ChildWorkflowFailure,
} from '@temporalio/workflow';
import type { BatchResult } from '../../contract/batch.js';
import type { BulkBatchResult } from '../../contract/bulk-batch.js';
import { FAILURES } from '../../contract/failures.js';
import type { PartOutcome } from '../../contract/part.js';
import { bounded } from '../../contract/text.js';

type PartResultFields = Pick<
  PartOutcome,
  'output' | 'errors' | 'unreadable' | 'lines' | 'usage' | 'anomalies' | 'warnings'
>;

/** The fields of an outcome that a failed run determines. */
export type FailedPart = PartResultFields &
  Pick<PartOutcome, 'batchId' | 'status'> & { readonly failure: NonNullable<PartOutcome['failure']> };

/** Longest message of a part's failure that is kept, in characters. */
const MAX_MESSAGE = 500;

/** The first warnings of a part that the bulk batch keeps, and the longest one, in characters. */
const MAX_WARNINGS = 5;
const MAX_WARNING = 300;

/** The fields of an outcome that come from the part's result. */
export function outcomeOfResult(result: BatchResult): PartResultFields {
  const { output, errors, unreadable, lines, usage, anomalies, warnings } = result;
  return {
    output: output?.uri ?? null,
    errors: errors?.uri ?? null,
    unreadable: unreadable?.uri ?? null,
    lines,
    usage,
    anomalies,
    warnings: warnings.slice(0, MAX_WARNINGS).map((text) => bounded(text, MAX_WARNING)),
  };
}

/**
 * The outcome of a part whose run failed. Requests are sent again only when their batch is known to have ended: because
 * the provider failed it, or because its results are in storage. A batch that may still be running would be paid for
 * twice, and one that the provider refused would be refused again.
 *
 * @param manifest the results in storage of a run that was cancelled or terminated, where there are any
 */
export function outcomeOfFailedPart(
  error: ChildWorkflowFailure,
  requests: number,
  manifest: BatchResult | null,
): FailedPart {
  const { type, message, details } = reasonOf(error);
  const result = details.result ?? manifest;
  const hasBatchEnded = manifest !== null || type === 'BatchFailed';
  return {
    batchId: details.batchId ?? details.jobId ?? result?.batchId ?? null,
    status: 'failed',
    ...(result ? outcomeOfResult(result) : noResults(requests)),
    failure: { type, message: bounded(message, MAX_MESSAGE), isFinal: !hasBatchEnded },
  };
}

/** Whether any line of a part is in storage: submitted again as a whole, it would be paid for twice. */
export function hasAnswers({ output, errors, unreadable, lines }: PartResultFields): boolean {
  return output !== null || unreadable !== null || (errors !== null && lines.failed > 0);
}

/** The outcome of a refused part that is not submitted again, with the reason in front of the provider's message. */
export function abandoned(failed: PartOutcome, reason: string): PartOutcome {
  const { type, message } = failed.failure!;
  return { ...failed, failure: { type, message: bounded(`${reason}: ${message}`, MAX_MESSAGE), isFinal: true } };
}

/**
 * Whether an operator cancelled or terminated the run, or it timed out, so that its failure has no type and no details.
 */
export function endedByOperator({ cause }: ChildWorkflowFailure): boolean {
  return !(cause instanceof ApplicationFailure);
}

/**
 * The failure of a bulk batch in which every part failed: that of the first part with a type in the table of failures.
 * Null where a batch has results, or no part has such a type since operators ended the runs.
 */
export function failureOfAllParts(parts: readonly PartOutcome[], result: BulkBatchResult): ApplicationFailure | null {
  if (result.output !== null || parts.some(({ failure }) => failure === null)) return null;
  const first = parts.map(({ failure }) => failure).find((failure) => failure && Object.hasOwn(FAILURES, failure.type));
  if (!first) return null;
  const { type, message } = first;
  return ApplicationFailure.create({
    type,
    message: `No batch has a result: ${message}`,
    nonRetryable: true,
    details: [{ result }],
  });
}

const noResults = (requests: number): PartResultFields => ({
  output: null,
  errors: null,
  unreadable: null,
  lines: { succeeded: 0, failed: 0, unfinished: requests, missing: 0 },
  usage: null,
  anomalies: null,
  warnings: [],
});

interface Reason {
  readonly type: string;
  readonly message: string;
  readonly details: { readonly batchId?: string; readonly jobId?: string; readonly result?: BatchResult | null };
}

function reasonOf({ cause, message }: ChildWorkflowFailure): Reason {
  if (!(cause instanceof ApplicationFailure)) {
    const type = typeOfOperatorEnd(cause);
    return { type, message: `the run was ended from outside: ${cause?.message ?? message}`, details: {} };
  }
  const [details] = (cause.details ?? []) as [Reason['details']?];
  return { type: cause.type ?? 'UnexpectedError', message: cause.message, details: details ?? {} };
}

function typeOfOperatorEnd(cause: Error | undefined): string {
  if (cause instanceof CancelledFailure) return 'Cancelled';
  if (cause instanceof TerminatedFailure) return 'Terminated';
  return cause instanceof TimeoutFailure ? 'TimedOut' : 'Failed';
}
