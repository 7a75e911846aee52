import { activityInfo, log } from '@temporalio/activity';
import { writeRunRecord } from '../../results/run-record.js';
import type { Storage } from '../../storage/storage.js';

/**
 * Records where the manifest of the calling run is, so that its result is found once Temporal has removed the run. Never
 * fails: the results themselves are in storage, and a run that was paid for must not end for want of this.
 *
 * @param firstRunId that of the run which this one continues as new
 */
export async function recordRun(storage: Storage, manifest: string, firstRunId?: string): Promise<void> {
  const { workflowExecution, namespace } = activityInfo();
  // An operator's activity belongs to no run.
  if (!workflowExecution) return;
  const { workflowId, runId } = workflowExecution;
  const runIds = [...new Set([runId, ...(firstRunId === undefined ? [] : [firstRunId])])];
  try {
    await writeRunRecord(storage, { namespace, workflowId, runIds }, manifest);
  } catch (error) {
    log.warn('Could not record where the result of the run is', { manifest, error: String(error) });
  }
}
