/** The runs of a task queue, with what the watch of their account saw last of their jobs. */
import type { Client } from '@temporalio/client';
import { WATCH_ACCOUNT, type WatchedJob } from '../contract/account-watch.js';
import type { TrainingSteps } from '../contract/fine-tuning.js';
import type { RequestCounts } from '../contract/snapshots.js';
import { readWatch } from '../temporal/account-view.js';

export type RunKind = 'batch' | 'fineTuning' | 'bulkBatch';

const TYPES = { batch: 'runBatch', fineTuning: 'runFineTuning', bulkBatch: 'runBulkBatch' } as const;

export interface ListOptions {
  /**
   * Kinds of runs. The runs of a bulk batch's parts are of the kind `batch`.
   * @default all
   */
  readonly kinds?: readonly RunKind[];
  /**
   * Whether only runs that are open are listed.
   * @default true
   */
  readonly onlyOpen?: boolean;
}

export interface ListedRun {
  readonly kind: RunKind;
  readonly workflowId: string;
  readonly runId: string;
  /** Temporal's status of the run, such as `RUNNING`, `COMPLETED` or `FAILED`. */
  readonly status: string;
  readonly startedAt: Date;
  /** Null while the run is open. */
  readonly closedAt: Date | null;
  /** What was seen last of its job; null where the account is not watched, and for jobs that have ended. */
  readonly job: ListedJob | null;
}

export interface ListedJob {
  readonly id: string;
  /** The provider's status. */
  readonly status: string;
  /** Null for fine-tuning jobs, and before the provider counts. */
  readonly counts: RequestCounts | null;
  /** Null for batches, and before training starts. */
  readonly steps: TrainingSteps | null;
  /** Epoch seconds. */
  readonly lastCheckedAt: number;
}

/** Asks visibility for the runs, newest first, and each watch of the task queue once. No run and no provider is asked. */
export async function* listRuns(client: Client, taskQueue: string, options: ListOptions): AsyncGenerator<ListedRun> {
  const { kinds = Object.keys(TYPES) as RunKind[], onlyOpen = true } = options;
  const queue = `TaskQueue = '${taskQueue.replaceAll("'", "''")}'`;
  const types = kinds.map((kind) => `'${TYPES[kind]}'`).join(', ');
  if (types === '') return;
  const jobs = await watchedJobs(client, queue);
  const query = `WorkflowType IN (${types}) AND ${queue}${onlyOpen ? ' AND CloseTime IS NULL' : ''}`;
  for await (const { type, workflowId, runId, status, startTime, closeTime } of client.workflow.list({ query })) {
    const kind = kinds.find((candidate) => TYPES[candidate] === type);
    if (kind === undefined) continue;
    const isOpen = closeTime === undefined;
    const job = isOpen ? (jobs.get(workflowId) ?? null) : null;
    yield { kind, workflowId, runId, status: status.name, startedAt: startTime, closedAt: closeTime ?? null, job };
  }
}

/** By the workflow id of the run that follows the job. */
async function watchedJobs(client: Client, queue: string): Promise<Map<string, ListedJob>> {
  const jobs = new Map<string, ListedJob>();
  const query = `WorkflowType = '${WATCH_ACCOUNT}' AND ${queue} AND CloseTime IS NULL`;
  for await (const { workflowId } of client.workflow.list({ query })) {
    const { view } = await readWatch(client, workflowId);
    for (const job of view?.jobs ?? []) jobs.set(job.workflowId, listed(job, view!.at));
  }
  return jobs;
}

function listed({ id, status, counts, steps }: WatchedJob, lastCheckedAt: number): ListedJob {
  return { id, status, counts, steps, lastCheckedAt };
}
