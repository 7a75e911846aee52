/**
 * What a worker knows of a provider's list of jobs. A search that is made as a precaution reads only what is new in the
 * list: the parts of a bulk batch of ten thousand would otherwise read each a list of ten thousand.
 */
import { ApplicationFailure } from '@temporalio/common';
import type { JobSearch } from '../../contract/activities/jobs.js';
import { JOB_KEY, jobOwnerOf, runMarkOf } from '../../contract/job-key.js';
import type { JobSnapshot } from '../../contract/snapshots.js';
import type { JobKind } from '../../provider/job-kinds.js';
import type { Provider } from '../../provider/providers.js';
import { eachJob, oldestPossible, type ListJobsOptions } from './list-jobs.js';
import type { ProviderApi } from './provider-api.js';

/** Some 30 MB of ids and marks. Beyond that, they are forgotten and the list is read again. */
const MAX_KNOWN = 100_000;

/** So many known jobs in a row end a reading: a list need not be in the exact order of creation. */
const KNOWN_IN_A_ROW = 20;

/** Jobs per page where only what is new is read. */
const SMALL_PAGE = 25;

/** A job as far as a search needs it. */
interface ListedJob {
  readonly id: string;
  readonly createdAt: number | null;
  readonly key: string;
  readonly inputFileId: string | null;
}

type ListJobs = (api: ProviderApi, options: ListJobsOptions) => AsyncGenerator<ListedJob>;

class KnownJobs {
  readonly #listJobs: ListJobs;
  readonly #ids = new Set<string>();
  /** Marks of the runs that have a job. */
  readonly #runs = new Set<string>();
  /** Input files of the jobs. A provider may keep no metadata, or drop it. */
  readonly #inputFiles = new Set<string>();
  /**
   * How far back the list is known: all jobs of runs that started since `startedAt`, which are those that were created
   * since `oldest`. Null before the first reading.
   */
  #since: { readonly startedAt: number; readonly oldest: number } | null = null;
  #current: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;

  constructor(listJobs: ListJobs) {
    this.#listJobs = listJobs;
  }

  /** Searches that are made at the same time share a reading that begins after all of them. */
  async mayContain(api: ProviderApi, search: JobSearch): Promise<boolean> {
    const isOwn = this.#next === null;
    this.#next ??= this.#afterCurrent(() => this.#read(api, search));
    try {
      await this.#next;
    } catch (error) {
      // The activity that reads may have been cancelled, which does not concern the others.
      if (isOwn || error instanceof ApplicationFailure) throw error;
      return this.mayContain(api, search);
    }
    if (!this.#covers(search)) return this.mayContain(api, search);
    const { owner, inputFile } = search;
    return this.#runs.has(runMarkOf(owner)) || (inputFile !== null && this.#inputFiles.has(inputFile.id));
  }

  #afterCurrent(read: () => Promise<void>): Promise<void> {
    const next = this.#current.then(() => {
      this.#next = null;
      return read();
    });
    this.#current = next.catch(() => undefined);
    return next;
  }

  #covers({ startedAt }: JobSearch): boolean {
    return this.#since !== null && startedAt >= this.#since.startedAt;
  }

  async #read(api: ProviderApi, search: JobSearch): Promise<void> {
    if (this.#ids.size > MAX_KNOWN) this.#forget();
    const { startedAt } = search;
    const before = this.#covers(search) ? this.#since : null;
    let oldest = before?.oldest ?? oldestPossible(startedAt, null);
    const onTime = (time: number) => (oldest = before?.oldest ?? oldestPossible(startedAt, time));
    const read: ListedJob[] = [];
    let knownInARow = 0;
    for await (const job of this.#listJobs(api, { onTime, ...(before && { limit: SMALL_PAGE }) })) {
      if (job.createdAt !== null && job.createdAt < oldest) break;
      knownInARow = this.#ids.has(job.id) ? knownInARow + 1 : 0;
      if (before !== null && knownInARow === KNOWN_IN_A_ROW) break;
      read.push(job);
    }
    // Not sooner: after a reading that was interrupted, jobs in a row would be known, and those behind them would not.
    for (const job of read) this.#note(job);
    this.#since = before ?? { startedAt, oldest };
  }

  #note({ id, key, inputFileId }: ListedJob): void {
    this.#ids.add(id);
    const owner = jobOwnerOf(key);
    if (owner) this.#runs.add(runMarkOf(owner));
    if (inputFileId !== null) this.#inputFiles.add(inputFileId);
  }

  #forget(): void {
    this.#ids.clear();
    this.#runs.clear();
    this.#inputFiles.clear();
    this.#since = null;
  }
}

const known = new WeakMap<Provider, Map<string, KnownJobs>>();

/**
 * Whether a job of the run may be in the provider's list. If not, none is; if so, a search must show it.
 *
 * @throws ApplicationFailure if the list cannot be read
 */
export async function mayBeListed<T extends JobSnapshot>(
  kind: JobKind<T>,
  api: ProviderApi,
  search: JobSearch,
): Promise<boolean> {
  const ofProvider = known.get(api.provider) ?? new Map<string, KnownJobs>();
  known.set(api.provider, ofProvider);
  const jobs = ofProvider.get(kind.name) ?? new KnownJobs((...args) => listedJobs(kind, ...args));
  ofProvider.set(kind.name, jobs);
  return jobs.mayContain(api, search);
}

async function* listedJobs<T extends JobSnapshot>(
  kind: JobKind<T>,
  api: ProviderApi,
  options: ListJobsOptions,
): AsyncGenerator<ListedJob> {
  for await (const job of eachJob(kind, api, options)) {
    const { createdAt } = job.timestamps;
    yield { id: job.id, createdAt, key: job.metadata[JOB_KEY] ?? '', inputFileId: kind.inputFileId(job) };
  }
}
