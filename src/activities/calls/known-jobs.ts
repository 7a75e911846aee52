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
import type { ListOptions } from './list-all.js';
import { eachJob, LIST_DISORDER_SECONDS, oldestPossible } from './list-jobs.js';
import type { ProviderApi } from './provider-api.js';

/** Some 30 MB of marks. Beyond that, they are forgotten and the list is read again. */
const MAX_KNOWN = 100_000;

/** A job as far as a search needs it. */
interface ListedJob {
  readonly createdAt: number | null;
  readonly key: string;
  readonly inputFileId: string | null;
}

type ListJobs = (api: ProviderApi, options: ListOptions) => AsyncGenerator<ListedJob>;

class KnownJobs {
  readonly #listJobs: ListJobs;
  /** Marks of the runs that have a job. */
  readonly #runs = new Set<string>();
  /** Input files of the jobs. A provider may keep no metadata, or drop it. */
  readonly #inputFiles = new Set<string>();
  /** All jobs are known that a run may have that started since then; null before the first reading. */
  #startedAt: number | null = null;
  /** When the newest known job was created. */
  #newest = 0;
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
    return this.#startedAt !== null && startedAt >= this.#startedAt;
  }

  async #read(api: ProviderApi, search: JobSearch): Promise<void> {
    if (Math.max(this.#runs.size, this.#inputFiles.size) > MAX_KNOWN) this.#forget();
    const { startedAt } = search;
    let oldest = oldestPossible(startedAt, null);
    let newest = this.#newest;
    const onTime = (time: number) => (oldest = oldestPossible(startedAt, time));
    for await (const { createdAt, key, inputFileId } of this.#listJobs(api, { onTime })) {
      const until = this.#covers(search) ? this.#newest - LIST_DISORDER_SECONDS : oldest;
      if (createdAt !== null && createdAt < until) break;
      newest = Math.max(newest, createdAt ?? 0);
      const owner = jobOwnerOf(key);
      if (owner) this.#runs.add(runMarkOf(owner));
      if (inputFileId !== null) this.#inputFiles.add(inputFileId);
    }
    this.#newest = newest;
    this.#startedAt = Math.min(this.#startedAt ?? startedAt, startedAt);
  }

  #forget(): void {
    this.#runs.clear();
    this.#inputFiles.clear();
    this.#startedAt = null;
    this.#newest = 0;
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
  options: ListOptions,
): AsyncGenerator<ListedJob> {
  for await (const job of eachJob(kind, api, options)) {
    const { createdAt } = job.timestamps;
    yield { createdAt, key: job.metadata[JOB_KEY] ?? '', inputFileId: kind.inputFileId(job) };
  }
}
