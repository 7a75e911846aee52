/** Searches for the jobs of one run: by the key in their metadata, and by the input file that the run uploaded. */
import { activityInfo, log } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import type { JobSearch } from '../../contract/activities/jobs.js';
import { isKeyOf, JOB_KEY, jobKeyOf, type RunOwner } from '../../contract/job-key.js';
import type { JobSnapshot } from '../../contract/snapshots.js';
import type { JobKind } from '../../provider/job-kinds.js';
import { MAX_PAGES } from '../../provider/pages.js';
import { withHeartbeat } from '../runtime/heartbeat.js';
import { cancelJob } from './jobs.js';
import { mayBeListed } from './known-jobs.js';
import { eachJob, oldestPossible } from './list-jobs.js';
import type { ProviderApi } from './provider-api.js';
import { ownCluster } from './runs.js';

/** A list need not be in the exact order of creation. */
const LIST_DISORDER_SECONDS = 60;

/**
 * Progress of a search. It is kept in the heartbeat details, so that the next attempt resumes an interrupted search
 * instead of starting over.
 */
export interface SearchProgress<T extends JobSnapshot> {
  /** The object that was read last; null before the first. */
  after: string | null;
  /** Number of objects that were read. */
  read: number;
  /** When the newest job was created that was listed at the start of the search. Later ones are read at its end. */
  newest: number | null;
  /** The search ends at jobs that are older, in epoch seconds; null before the provider's time is known. */
  notBefore: number | null;
  found: T[];
  /** Ids of jobs without any metadata whose input file the run shares with others: they may be jobs of the run. */
  unclear: string[];
}

export const newSearch = <T extends JobSnapshot>(): SearchProgress<T> => ({
  after: null,
  read: 0,
  newest: null,
  notBefore: null,
  found: [],
  unclear: [],
});

/** The progress as heartbeat details carry it. */
export const searchProgressSchema = z.object({
  after: z.string().nullable(),
  read: z.number(),
  newest: z.number().nullable(),
  notBefore: z.number().nullable(),
  found: z.array(z.custom<JobSnapshot>((job) => typeof job === 'object' && job !== null && 'id' in job)),
  unclear: z.array(z.string()),
});

/** How the jobs of one run are found and cancelled. */
export interface KeyedJobs<T extends JobSnapshot> {
  readonly api: ProviderApi;
  /** Whether the run's jobs can be identified, either by their metadata or by an input file that only this run has. */
  readonly canFind: boolean;
  /** Whether the list may contain a job of the run. Only what is new in the list is read. */
  readonly mayBeListed: () => Promise<boolean>;
  /** All jobs of the run, read from where the progress is, which is kept up to date. */
  readonly find: (progress?: SearchProgress<T>) => Promise<T[]>;
  readonly isEnd: (status: string) => boolean;
  readonly cancel: (id: string) => Promise<unknown>;
}

/** The key that a job of the run gets; null where the provider keeps no metadata. */
export async function keyForMetadata({ provider }: ProviderApi, owner: RunOwner): Promise<string | null> {
  return provider.metadata ? jobKeyOf({ ...owner, cluster: await ownCluster() }) : null;
}

export function keyedJobs<T extends JobSnapshot>(kind: JobKind<T>, api: ProviderApi, search: JobSearch): KeyedJobs<T> {
  return {
    api,
    canFind: api.provider.metadata || (search.inputFile?.isOwn ?? false),
    mayBeListed: () => mayBeListed(kind, api, search),
    find: (progress = newSearch()) => findJobs(kind, api, search, progress),
    isEnd: kind.statuses.isEnd,
    cancel: (id) => cancelJob(kind, api, { id, isAgain: false }),
  };
}

/** Finds all jobs of the run. If the attempt is interrupted, the next one resumes the search. */
export function findInAttempts<T extends JobSnapshot>(jobs: KeyedJobs<T>): Promise<T[]> {
  const details = z.object({ search: searchProgressSchema }).safeParse(activityInfo().heartbeatDetails);
  const search = (details.data?.search as SearchProgress<T> | undefined) ?? newSearch<T>();
  return withHeartbeat(
    () => jobs.find(search),
    () => ({ search }),
  );
}

/** Reads the list newest first. A resumed search finally reads the jobs that were added since it started. */
async function findJobs<T extends JobSnapshot>(
  kind: JobKind<T>,
  api: ProviderApi,
  search: JobSearch,
  progress: SearchProgress<T>,
): Promise<T[]> {
  const { after, newest } = progress;
  try {
    await readList(kind, api, search, progress, { after });
  } catch (error) {
    if (after === null || !(error instanceof ApplicationFailure) || !error.nonRetryable) throw error;
    log.warn('The search for the job begins again: the list cannot be read from where it was', { after });
    Object.assign(progress, newSearch());
    return findJobs(kind, api, search, progress);
  }
  if (after !== null && newest !== null) {
    await readList(kind, api, search, progress, { after: null, until: newest - LIST_DISORDER_SECONDS });
  }
  return [...new Map(progress.found.map((job) => [job.id, job])).values()];
}

async function readList<T extends JobSnapshot>(
  kind: JobKind<T>,
  api: ProviderApi,
  search: JobSearch,
  progress: SearchProgress<T>,
  { after, until = 0 }: { readonly after: string | null; readonly until?: number },
): Promise<void> {
  const onTime = (time: number) => (progress.notBefore ??= oldestPossible(search.startedAt, time));
  for await (const job of eachJob(kind, api, { after, onTime })) {
    progress.read += 1;
    if (progress.read > MAX_PAGES * kind.pageSize) throw endless(kind, api, progress.read);
    const { createdAt } = job.timestamps;
    const notBefore = progress.notBefore ?? oldestPossible(search.startedAt, null);
    if (createdAt !== null && createdAt < Math.max(notBefore, until)) break;
    const belonging = belongingOf(kind, job, search);
    if (belonging === 'own') progress.found.push(job);
    if (belonging === 'unclear') progress.unclear.push(job.id);
    // This final pass must not change the position from which the next attempt resumes.
    if (until > 0) continue;
    progress.after = job.id;
    if (createdAt !== null) progress.newest = Math.max(progress.newest ?? 0, createdAt);
  }
}

/** Whose a job is. A gateway may drop the metadata, all of it, and with it the key. */
function belongingOf<T extends JobSnapshot>(
  kind: JobKind<T>,
  job: T,
  { owner, inputFile }: JobSearch,
): 'own' | 'unclear' | 'foreign' {
  if (isKeyOf(job.metadata[JOB_KEY] ?? '', owner)) return 'own';
  if (inputFile === null || kind.inputFileId(job) !== inputFile.id) return 'foreign';
  if (inputFile.isOwn) return 'own';
  return Object.keys(job.metadata).length === 0 ? 'unclear' : 'foreign';
}

function endless({ name }: Pick<JobKind<JobSnapshot>, 'name'>, api: ProviderApi, read: number) {
  const message = `the list has no end: ${read} objects were read, none older than the run`;
  return api.failure(`${name}.list`, {
    status: 400,
    code: 'endless_list',
    type: null,
    param: null,
    message,
    requestId: null,
    retryAfterMs: null,
    shouldRetry: false,
  });
}
