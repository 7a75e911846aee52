/** Open jobs whose runs have ended, so that nobody waits for their results. */
import { log } from '@temporalio/activity';
import type { JobSnapshot } from '../../contract/snapshots.js';
import type { JobKind } from '../../provider/job-kinds.js';
import { cancelJob, retrieveJob } from '../calls/jobs.js';
import { hasEnded, openRunsOf } from './owners.js';
import type { SweepOptions } from './sweep-options.js';

/** A stale list may show a job that has ended, so it is read before it counts as an orphan. */
export async function takeOrphan(
  { api, memory, onOrphan }: SweepOptions,
  kind: JobKind<JobSnapshot>,
  id: string,
  workflowId: string,
): Promise<void> {
  const { value } = await retrieveJob(kind, api, id);
  memory.jobs.delete(id);
  memory.ignore(id);
  if (!value || kind.statuses.isEnd(value.status)) return;
  memory.orphans.add(id);
  log.warn('No run follows this job: its run has ended', { jobId: id, workflowId });
  if (onOrphan === 'cancel') await cancelJob(kind, api, { id, isAgain: false });
}

/** Finds known jobs whose runs have ended. At most so often as `everySeconds`, since all open runs are listed for it. */
export async function findEndedRuns(
  options: SweepOptions,
  kinds: Readonly<Record<string, JobKind<JobSnapshot>>>,
  everySeconds: number,
): Promise<void> {
  const { client, taskQueue, memory, now } = options;
  if (memory.jobs.size === 0 || now < memory.runsCheckedAt + everySeconds) return;
  const open = await openRunsOf(client, taskQueue);
  memory.runsCheckedAt = now;
  if (open === null) return;
  const doubtful = [...memory.jobs.values()].filter(({ workflowId }) => !open.workflowIds.has(workflowId));
  for (const { id, kind, workflowId } of doubtful) {
    if (!(await hasEnded(client, workflowId))) continue;
    await takeOrphan(options, kinds[kind]!, id, workflowId);
  }
}
