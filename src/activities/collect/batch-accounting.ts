/** Compares what was read of a batch's results with what the provider counts. */
import type { BatchSnapshot } from '../../contract/snapshots.js';
import { BATCHES } from '../../provider/job-kinds.js';
import type { ResultsSummary } from '../../results/batch-account.js';
import { retrieveJob } from '../calls/jobs.js';
import type { ResultFileLack } from '../calls/open-file.js';
import type { ProviderApi } from '../calls/provider-api.js';
import type { Lack } from './settling.js';

export const hasNoFile = ({ outputFileId, errorFileId }: BatchSnapshot): boolean =>
  outputFileId === null && errorFileId === null;

/**
 * The batch as the provider shows it now. A reply that lags, or that leaves something out, does not undo what is known.
 */
export async function readAgain(api: ProviderApi, known: BatchSnapshot): Promise<BatchSnapshot> {
  const { value: batch } = await retrieveJob(BATCHES, api, known.id);
  if (!batch || (BATCHES.statuses.isEnd(known.status) && !BATCHES.statuses.isEnd(batch.status))) return known;
  return {
    ...known,
    model: batch.model ?? known.model,
    usage: batch.usage ?? known.usage,
    outputFileId: batch.outputFileId ?? known.outputFileId,
    errorFileId: batch.errorFileId ?? known.errorFileId,
    requestCounts: batch.requestCounts.total > 0 ? batch.requestCounts : known.requestCounts,
  };
}

/** What was read besides the lines. */
interface ReadFiles {
  /** What is wrong with the result files. */
  readonly files: readonly ResultFileLack[];
  /** Whether the input could be read, so that requests without a line are known. */
  readonly isInputKnown: boolean;
}

export interface BatchAccounting {
  /** What the results lack of what the provider counts; empty if they account for all of it. */
  readonly lacks: readonly Lack[];
  /**
   * Whether the result files were read completely, have a line for every request, agree with the counts, and are fully
   * contained in the results. Only then may they be deleted at the provider.
   */
  readonly isReadWhole: boolean;
}

/**
 * Counts lie: they may be 0, include failed requests among the completed ones, or not sum to the total. So nothing is
 * lacking where every request has a line; elsewhere the files must have been read to their end, with at least as many
 * answers as are counted.
 */
export function accountOf(batch: BatchSnapshot, summary: ResultsSummary, read: ReadFiles): BatchAccounting {
  const promised = promisedBy(batch);
  const answers = answersIn(summary);
  const { withoutLine, anomalies } = summary;
  const isEveryRequestThere = read.isInputKnown && withoutLine === 0;
  // A request without a line may have been answered, even where the counts do not say so.
  const isComplete = read.isInputKnown ? isEveryRequestThere : promised > 0;
  return {
    lacks: isEveryRequestThere ? [] : lacksOf(batch, summary, read),
    isReadWhole:
      isComplete &&
      answers >= promised &&
      read.files.length === 0 &&
      anomalies.unreadable === 0 &&
      anomalies.unknownIds === 0,
  };
}

function lacksOf(batch: BatchSnapshot, summary: ResultsSummary, { files, isInputKnown }: ReadFiles): Lack[] {
  const promised = promisedBy(batch);
  const answers = answersIn(summary);
  const lacks = files.map(({ fileId, reason, refusal }): Lack => ({
    key: `${fileId} ${refusal ? 'refused' : 'incomplete'}`,
    reason,
  }));
  const lacking = (reason: string) => lacks.unshift({ key: 'answers', reason });
  if (promised > 0) {
    if (answers < promised) lacking(`it counts ${promised} requests with a result, and its files contain ${answers}`);
  } else if (batch.status === 'completed' && isInputKnown) {
    // Without counts, that a batch is completed still says that each of its requests has a result.
    lacking(`it is completed, and its files have no line for ${summary.withoutLine} requests`);
  } else if (answers === 0 && lacks.length === 0 && batch.outputFileId !== null) {
    lacking(`no answer is in ${batch.outputFileId}`);
  }
  return lacks;
}

/** Requests with a result by the provider's counts. Some providers count failed requests as completed, too. */
function promisedBy({ requestCounts: { total, completed, failed } }: BatchSnapshot): number {
  return Math.min(completed + failed, total > 0 ? Math.max(total, completed) : Infinity);
}

/** A line with an id that the input does not have is an answer, too. */
function answersIn({ lines, anomalies }: ResultsSummary): number {
  return lines.succeeded + lines.failed + anomalies.unknownIds;
}
