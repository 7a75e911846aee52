/** Jobs at a provider that no run follows: their run has ended, or follows another job with the same key. */
import type { Client } from '@temporalio/client';
import type { CommonProgress } from '../contract/progress.js';
import { JOB_KEY, type JobOwner } from '../contract/job-key.js';
import { safeParse } from '../contract/safe-parse.js';
import type { JobSnapshot } from '../contract/snapshots.js';
import { BATCHES, FINE_TUNING_JOBS } from '../provider/job-kinds.js';
import type { OpenAIClient } from '../provider/openai-client.js';
import { guardedClient } from '../provider/guarded-client.js';
import { eachObject, pageSchema } from '../provider/pages.js';
import { httpStatusOf } from '../provider/reply.js';
import { askRun } from '../temporal/ask-run.js';
import { ownerHere, ownerRunOf } from '../temporal/owner-run.js';

/** The kind of a job. */
export type OrphanKind = 'batch' | 'fineTuning';

/** Where to search, and for what. */
export interface FindOrphansOptions {
  /** A client of the namespace to search. Jobs of runs in other namespaces and in other clusters are ignored. */
  readonly temporal: Client;
  /** A client of the account to search. Its retries apply. */
  readonly openai: OpenAIClient;
  /**
   * Jobs that were created earlier are ignored.
   * @default 30 days ago
   */
  readonly since?: Date;
  /**
   * Kinds of jobs to search for. A provider without the list of a kind (404) counts as having none.
   * @default ['batch', 'fineTuning']
   */
  readonly kinds?: readonly OrphanKind[];
  /**
   * Whether to cancel each orphan at the provider. A duplicate is cancelled only if its run says which job it follows:
   * for that, a worker must be running.
   * @default false
   */
  readonly cancel?: boolean;
}

/** A job at the provider that no run follows. */
export interface Orphan {
  /** The kind of the job. */
  readonly kind: OrphanKind;
  /** Id of the job at the provider. */
  readonly jobId: string;
  /** The provider's status at the time when the orphan was found. */
  readonly status: string;
  /** Epoch seconds; null where the provider does not say. */
  readonly createdAt: number | null;
  /** The run that created it. A reset keeps the run id of the first. */
  readonly owner: JobOwner;
  /**
   * - `runEnded`: the job has not ended, while its run has.
   * - `duplicate`: the run is open and follows another job. This one may have ended, and is paid for as well.
   */
  readonly reason: 'runEnded' | 'duplicate';
  /**
   * Temporal's status of that run, such as `TERMINATED`, or `RUNNING` for a duplicate; `NOT_FOUND` if the namespace no
   * longer has it.
   */
  readonly runStatus: string;
  /** Whether this call cancelled it. Also false if the job had ended in the meantime. */
  readonly isCancelled: boolean;
}

const DAY_MS = 24 * 60 * 60 * 1_000;

/** Retries of each request, as many as those of the SDK by default. */
const MAX_RETRIES = 2;

const KINDS = { batch: BATCHES, fineTuning: FINE_TUNING_JOBS } as const;

/** A job, reduced to what decides about it. */
type ListedJob = Pick<JobSnapshot, 'id' | 'status'> & { readonly createdAt: number | null; readonly isEnd: boolean };

/**
 * Finds jobs that no run follows. Either the run that created the job has ended without it: it was terminated, it failed
 * (`JobStuck`, `ApiRefused`), or it no longer exists. Or the run is open and follows another job with the same key, since
 * Temporal was restored from a backup, for example. Jobs are recognised by the key in their metadata, so only jobs of
 * this library, of this namespace and of this cluster are ever cancelled. A run that is paused is open.
 *
 * @example
 * ```ts
 * const orphans = await findOrphans({ temporal: client, openai, cancel: true });
 * for (const { jobId, owner, reason } of orphans) console.log(`${jobId} of ${owner.workflowId} (${reason})`);
 * ```
 * @throws the errors of the two clients; after an error, a further call finds the remaining orphans
 */
export async function findOrphans(options: FindOrphansOptions): Promise<Orphan[]> {
  const { temporal, kinds = ['batch', 'fineTuning'], cancel = false } = options;
  const openai = guardedClient(options.openai, MAX_RETRIES);
  const since = Math.floor((options.since ?? new Date(Date.now() - 30 * DAY_MS)).getTime() / 1_000);
  const orphans: Orphan[] = [];
  for (const kind of kinds) {
    for (const [key, jobs] of await jobsByKey(openai, kind, since)) {
      const owner = await ownerHere(temporal, key);
      if (!owner) continue;
      for (const { job, mayCancel, ...orphan } of await orphansOf(temporal, owner, jobs)) {
        const { id: jobId, status, createdAt } = job;
        const isCancelled = cancel && mayCancel && !job.isEnd && (await cancelJob(openai, kind, jobId));
        orphans.push({ kind, jobId, status, createdAt, owner, ...orphan, isCancelled });
      }
    }
  }
  return orphans;
}

/** Jobs that carry a key of this library, by that key; newest first. */
async function jobsByKey(openai: OpenAIClient, kind: OrphanKind, since: number): Promise<Map<string, ListedJob[]>> {
  const { path, pageSize: limit, schema, statuses } = KINDS[kind];
  const byKey = new Map<string, ListedJob[]>();
  const objects = eachObject(async (after) => {
    try {
      return pageSchema.parse(await openai.get(path, { query: { limit, ...after } }));
    } catch (error) {
      if (httpStatusOf(error) === 404) return { data: [], has_more: false };
      throw error;
    }
  });
  for await (const object of objects) {
    const job = safeParse(schema, object).data;
    if (!job) continue;
    const { createdAt } = job.timestamps;
    if (createdAt !== null && createdAt < since) break;
    const key = job.metadata[JOB_KEY];
    if (key === undefined) continue;
    const { id, status } = job;
    byKey.set(key, [...(byKey.get(key) ?? []), { id, status, createdAt, isEnd: statuses.isEnd(status) }]);
  }
  return byKey;
}

interface FoundOrphan extends Pick<Orphan, 'reason' | 'runStatus'> {
  readonly job: ListedJob;
  readonly mayCancel: boolean;
}

/** Which of the jobs of one key no run follows. */
async function orphansOf(temporal: Client, owner: JobOwner, jobs: readonly ListedJob[]): Promise<FoundOrphan[]> {
  if (jobs.length === 1 && jobs[0]?.isEnd) return [];
  const run = await ownerRunOf(temporal, owner);
  if (!run.isOpen) {
    const unfinished = jobs.filter(({ isEnd }) => !isEnd);
    return unfinished.map((job) => ({ job, reason: 'runEnded', runStatus: run.status, mayCancel: true }));
  }
  if (jobs.length === 1) return [];
  const followed = await followedJob(temporal, run.workflowId);
  // Where the run does not tell, it follows the oldest, but that is not certain enough to cancel the others.
  const kept = followed ?? oldestFirst(jobs)[0]?.id;
  return jobs
    .filter(({ id, status }) => id !== kept && !isFree(status))
    .map((job) => ({ job, reason: 'duplicate', runStatus: run.status, mayCancel: followed !== null }));
}

/** Whether a job with this status has cost little or nothing. */
const isFree = (status: string): boolean => status === 'failed' || status === 'cancelled';

function oldestFirst(jobs: readonly ListedJob[]): ListedJob[] {
  const isCancelled = ({ status }: ListedJob) => Number(status.startsWith('cancel'));
  return jobs.toSorted((a, b) => isCancelled(a) - isCancelled(b) || (a.createdAt ?? 0) - (b.createdAt ?? 0));
}

/** The id of the job that a run follows; null where the run has none yet, or does not answer. */
async function followedJob(temporal: Client, workflowId: string): Promise<string | null> {
  try {
    return (await askRun<CommonProgress>(temporal, workflowId, 'progress')).jobId;
  } catch {
    return null;
  }
}

/** Cancels a job. Returns false if it has ended or disappeared in the meantime. */
async function cancelJob(openai: OpenAIClient, kind: OrphanKind, id: string): Promise<boolean> {
  try {
    await KINDS[kind].cancel(openai, id);
    return true;
  } catch (error) {
    if ([400, 404, 409].includes(httpStatusOf(error) ?? 0)) return false;
    throw error;
  }
}
