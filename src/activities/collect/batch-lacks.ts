/** What the results of an ended batch lack of what the provider counts. */
import type { BatchSnapshot, RequestCounts } from '../../contract/snapshots.js';
import { BATCHES } from '../../provider/job-kinds.js';
import type { ResultsSummary } from '../../results/batch-account.js';
import { retrieveJob } from '../calls/jobs.js';
import type { ResultFileLack } from '../calls/open-file.js';
import type { ProviderApi } from '../calls/provider-api.js';

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
    outputFileId: batch.outputFileId ?? known.outputFileId,
    errorFileId: batch.errorFileId ?? known.errorFileId,
    requestCounts: batch.requestCounts.total > 0 ? batch.requestCounts : known.requestCounts,
  };
}

/** What the results lack of what the provider counts, as phrases; none if they account for all of it. */
export function lacksOf(
  batch: BatchSnapshot,
  { lines, anomalies, total }: ResultsSummary,
  files: readonly ResultFileLack[],
): string[] {
  const promised = promisedBy(batch.requestCounts);
  // A line with an id that the input does not have is an answer, too.
  const read = lines.succeeded + lines.failed + anomalies.unknownIds;
  if (promised > 0 && read >= promised) return [];
  const reasons = files.map(({ reason }) => reason);
  if (promised > 0) reasons.unshift(`it counts ${promised} requests with a result, and its files contain ${read}`);
  else if (batch.outputFileId !== null && read === 0) reasons.push(`no answer is in ${batch.outputFileId}`);
  else if (hasNoFile(batch) && batch.status === 'completed' && total > 0) reasons.push('there is no result file');
  return reasons;
}

/** Requests with a result by the provider's counts. Some providers count failed requests as completed, too. */
function promisedBy({ total, completed, failed }: RequestCounts): number {
  return Math.min(completed + failed, total > 0 ? total : Infinity);
}
