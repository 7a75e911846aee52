/** Whose a job is: of an open run of this task queue, of another one, or of a run that has ended. */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { log } from '@temporalio/activity';
import type { AnnouncedJob, WatchedKind } from '../../contract/account-watch.js';
import type { JobOwner } from '../../contract/job-key.js';
import type { CommonProgress } from '../../contract/progress.js';
import { askRun } from '../../temporal/ask-run.js';
import { ownerRunOf } from '../../temporal/owner-run.js';
import { isOpenRun } from '../../temporal/server.js';
import { someAtOnce } from '../calls/runs.js';

/** Visibility lags: a run that is younger may be missing in its answers. */
const VISIBILITY_LAG_MS = 5 * 60_000;

/** Runs that are asked for their job when a list is too long to be read to its end. */
const MAX_ASKED = 200;

export type Belonging = 'ours' | 'foreign' | 'ended';

/** The open runs of a task queue, as visibility tells them. */
export interface OpenRuns {
  readonly workflowIds: ReadonlySet<string>;
  /** Start of the oldest, in epoch seconds; null if none is open. */
  readonly oldestStart: number | null;
  /** Runs that started later may be missing, in epoch seconds. */
  readonly completeUntil: number;
}

/** Null where the server has no visibility. */
export async function openRunsOf(client: Client, taskQueue: string): Promise<OpenRuns | null> {
  const query =
    `WorkflowType IN ('runBatch', 'runFineTuning') AND TaskQueue = '${taskQueue.replaceAll("'", "''")}'` +
    ' AND CloseTime IS NULL';
  const completeUntil = (Date.now() - VISIBILITY_LAG_MS) / 1_000;
  const workflowIds = new Set<string>();
  let oldestStart: number | null = null;
  try {
    for await (const { workflowId, startTime } of client.workflow.list({ query, pageSize: 1_000 })) {
      workflowIds.add(workflowId);
      oldestStart = Math.min(oldestStart ?? Infinity, Math.floor(startTime.getTime() / 1_000));
    }
  } catch (error) {
    log.info('The open runs cannot be listed', { reason: String(error) });
    return null;
  }
  return { workflowIds, oldestStart, completeUntil };
}

/** Whether no run under a workflow id is open. Visibility may not show a run that was just started. */
export async function hasEnded(client: Client, workflowId: string): Promise<boolean> {
  try {
    return !isOpenRun((await client.workflow.getHandle(workflowId).describe()).status.name);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return true;
    throw error;
  }
}

/** Two or three calls to Temporal. */
export async function belongingOf(client: Client, taskQueue: string, owner: JobOwner): Promise<Belonging> {
  const run = await ownerRunOf(client, owner);
  // Of a run that retention has deleted it is not known which task queue it was on.
  if (run.taskQueue !== null && run.taskQueue !== taskQueue) return 'foreign';
  return run.isOpen ? 'ours' : 'ended';
}

/** The jobs that open runs follow, in their own words. Runs that do not answer have none here. */
export async function followedJobs(client: Client, workflowIds: readonly string[]): Promise<AnnouncedJob[]> {
  const jobs = await someAtOnce(workflowIds.slice(0, MAX_ASKED), async (workflowId) => {
    const progress = await askRun<CommonProgress>(client, workflowId, 'progress').catch(() => null);
    if (!progress?.jobId) return [];
    const { jobId: id, status } = progress;
    const kind: WatchedKind = 'counts' in progress ? 'batches' : 'fineTuning';
    return [{ kind, id, status, workflowId, createdAt: null, expiresAt: null }];
  });
  return jobs.flat();
}
