/** What the run of a part tells its bulk batch when it ends, and what that says of the part. */
import type { BatchResult, LineCounts } from './batch.js';
import type { PartOutcome } from './part.js';
import { passingRefusal, type PassingRefusal } from './refusal-reason.js';
import { bounded } from './text.js';

/** Name of the memo field that says whose part a run is. */
export const PART_OF = 'llmJobsPartOf';

/** Whose part a run is: it reports its end to the current run of this workflow. */
export interface PartOf {
  /** Workflow id of the bulk batch. */
  readonly bulk: string;
  /** The first run id of its chain, which continue-as-new and a reset keep. */
  readonly bulkRun: string;
  /** Name of the part's attempt, such as `r1-p3`, or `r1-p3.2` for the second. */
  readonly name: string;
}

/** The fields of an outcome that come from the part's result. */
export type ReportedResults = Pick<
  PartOutcome,
  'output' | 'errors' | 'unreadable' | 'lines' | 'usage' | 'anomalies' | 'warnings'
>;

/** How the run of a part ended. */
export interface EndReport {
  readonly batchId: string | null;
  /** The status of its batch; `failed` where the run failed. */
  readonly status: string;
  /** Null where the run left no results. */
  readonly results: ReportedResults | null;
  readonly failure: (NonNullable<PartOutcome['failure']> & { readonly refusal: Refusal | null }) | null;
}

export interface PartReport extends EndReport {
  readonly name: string;
  /** The run id of the bulk batch's origin: an earlier one under the same workflow id has another. */
  readonly origin: string;
}

/** A refusal that passes. */
export interface Refusal {
  readonly reason: PassingRefusal;
  /** The provider's words. */
  readonly message: string;
}

/** The runs of the parts of a bulk batch that have not reported their end. */
export interface OpenParts {
  /** The run id of the bulk batch's origin. */
  readonly origin: string;
  /** Folder of the results of the parts' batches. */
  readonly resultsUri: string;
  /** Names of the parts' attempts, with the workflow id of the run of each. */
  readonly runs: Readonly<Record<string, string>>;
  /** What they wait for, as the bulk batch shows it; null if nothing. */
  readonly waitingFor: string | null;
  /** The provider of their batches. */
  readonly provider: string;
  /** Ids of their batches by the name of the part's attempt, as far as the bulk batch knows them. */
  readonly batches: Readonly<Record<string, string>>;
}

/** Longest message of a part's failure that is kept, in characters. */
const MAX_MESSAGE = 500;
/** The first warnings of a part that the bulk batch keeps, and the longest one, in characters. */
const MAX_WARNINGS = 5;
const MAX_WARNING = 300;

export function reportOfResult(result: BatchResult): EndReport {
  const { batchId, status } = result;
  return { batchId, status, results: reportedResults(result), failure: null };
}

/** A failure as it leaves a workflow. */
export interface RunFailure {
  readonly type: string;
  readonly message: string;
  readonly details: FailedRunDetails;
}

interface FailedRunDetails {
  readonly batchId?: string;
  readonly jobId?: string;
  readonly result?: BatchResult | null;
  readonly operation?: string;
  readonly status?: number | string;
  readonly code?: string | null;
  readonly type?: string | null;
  readonly errors?: readonly { readonly code?: string | null; readonly message?: string | null }[];
}

/**
 * The report of a run that failed. Requests are sent again only when their batch is known to have ended: because the
 * provider failed it, or because its results are in storage. A batch that may still be running would be paid for twice,
 * and one that the provider refused would be refused again.
 *
 * @param manifest the results in storage of a run that an operator ended, where there are any
 */
export function reportOfFailure(failure: RunFailure, manifest: BatchResult | null = null): EndReport {
  const { type, message, details } = failure;
  const result = details.result ?? manifest;
  const results = result ? reportedResults(result) : null;
  const hasBatchEnded = manifest !== null || type === 'BatchFailed';
  // What a batch answered before it ran out of credit is kept: the rest is for the next round.
  const refusal = results !== null && hasAnswers(results) ? null : refusalOf(failure);
  return {
    batchId: details.batchId ?? details.jobId ?? result?.batchId ?? null,
    status: 'failed',
    results,
    failure: { type, message: bounded(message, MAX_MESSAGE), isFinal: !hasBatchEnded, refusal },
  };
}

function reportedResults(result: BatchResult): ReportedResults {
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

/** Whether any line of a part is in storage: submitted again as a whole, it would be paid for twice. */
function hasAnswers({ output, errors, unreadable, lines }: ReportedResults): boolean {
  return output !== null || unreadable !== null || (errors !== null && lines.failed > 0);
}

/** Calls that come before the batch exists. A refusal of any other call leaves a batch behind. */
const BEFORE_THE_BATCH = /^(files\.(create|list|retrieve)|batches\.(create|list))$/;

/** The refusal of a run that failed for want of room or credit; null where it failed for another reason. */
export function refusalOf({ type: failureType, message, details }: RunFailure): Refusal | null {
  if (failureType === 'BatchFailed') {
    const texts = (details.errors ?? []).map((error) => `${error.code ?? ''} ${error.message ?? ''}`);
    return withMessage(passingRefusal([...texts, message].join(' ')), message);
  }
  if (failureType !== 'ApiRefused' || !BEFORE_THE_BATCH.test(details.operation ?? '')) return null;
  const { status, code, type } = details;
  if (status === 402) return withMessage('credit', message);
  const reason = passingRefusal(`${code ?? ''} ${type ?? ''} ${message}`);
  // A key without permission stays without, whatever word of its message sounds like room.
  const isForGood = reason === 'room' && (status === 401 || status === 403 || status === 404);
  return isForGood ? null : withMessage(reason, message);
}

function withMessage(reason: PassingRefusal | null, message: string): Refusal | null {
  return reason && { reason, message: bounded(message, MAX_MESSAGE) };
}

/** The outcome of a part whose run has ended. */
export function outcomeOf(
  report: EndReport,
  part: Pick<PartOutcome, 'round' | 'part' | 'model' | 'requests'>,
): PartOutcome {
  const { batchId, status, results, failure } = report;
  return {
    ...part,
    batchId,
    status,
    ...(results ?? noResults(part.requests)),
    failure: failure && { type: failure.type, message: failure.message, isFinal: failure.isFinal },
  };
}

/** The outcome of a refused part that is not submitted again, with the reason in front of the provider's message. */
export function abandoned(failed: PartOutcome, reason: string): PartOutcome {
  const { type, message } = failed.failure!;
  return { ...failed, failure: { type, message: bounded(`${reason}: ${message}`, MAX_MESSAGE), isFinal: true } };
}

function noResults(requests: number): ReportedResults {
  const lines: LineCounts = { succeeded: 0, failed: 0, unfinished: requests, missing: 0 };
  return {
    output: null,
    errors: null,
    unreadable: null,
    lines,
    usage: null,
    anomalies: null,
    warnings: [],
  };
}
