/** What one sweep of an account remembers for the next. */
import type { AnnouncedJob, WatchedJob, WatchedKind } from '../../contract/account-watch.js';
import { decodeView, encodeView, timeOfView, type AccountView } from '../../temporal/account-view.js';
import type { Provider } from '../../provider/providers.js';
import type { PollBounds } from '../calls/poll-interval.js';

/** Ids that are remembered of jobs that are none of ours, or that have ended. Beyond that, they are looked at again. */
const MAX_IDS = 20_000;

const UNSEEN = { counts: null, steps: null };

export class AccountMemory {
  /** Epoch seconds, on Temporal's clock; null before the first sweep. */
  at: number | null;
  /** Epoch seconds, on the provider's clock: when each kind of list was read last. */
  readonly listedAt: Partial<Record<WatchedKind, number>>;
  /** Jobs of ours that have not ended, by id. */
  readonly jobs: Map<string, WatchedJob>;
  /** Jobs that have ended, and whose runs were told. */
  readonly told: Set<string>;
  /** Jobs that have not ended, as their runs say, although the list says so. */
  readonly denied = new Set<string>();
  /** Epoch seconds, on Temporal's clock: until then, a list is not relied on, since it was behind. */
  readonly behindUntil: Partial<Record<WatchedKind, number>> = {};
  /** Epoch seconds, on Temporal's clock: when a job of each kind was known to be open last. */
  readonly openAt: Partial<Record<WatchedKind, number>> = {};
  /** Epoch seconds, on Temporal's clock: when this worker read each list last. */
  readonly listReadAt: Partial<Record<WatchedKind, number>> = {};
  /** Epoch seconds: when it was last checked that the runs of the jobs are open. */
  runsCheckedAt = 0;
  /** Open jobs of other task queues, and of runs that have ended. */
  readonly notOurs = new Set<string>();
  /** Open jobs whose runs have ended. */
  readonly orphans = new Set<string>();

  constructor(view: AccountView | null) {
    this.at = view?.at ?? null;
    this.listedAt = { ...view?.listedAt };
    this.jobs = new Map(view?.jobs.map((job) => [job.id, job]));
    this.told = new Set(view?.told);
  }

  /** Jobs that their runs take to be open at that time (epoch seconds), whatever was seen of them before. */
  announce(jobs: readonly AnnouncedJob[], at: number): void {
    for (const job of jobs) {
      if (this.told.has(job.id)) this.denied.add(job.id);
      for (const ids of [this.told, this.notOurs, this.orphans]) ids.delete(job.id);
      const known = this.jobs.get(job.id);
      // A list may have shown the job before its announcement came. What its run knows counts: it is woken for the rest.
      this.jobs.set(job.id, known ? { ...known, status: job.status } : { ...job, ...UNSEEN, confirmedAt: at });
    }
  }

  /** The job has ended, or is gone, and its run was told. */
  tell(id: string): void {
    this.jobs.delete(id);
    this.orphans.delete(id);
    this.denied.delete(id);
    this.told.add(id);
    forgetOldest(this.told);
  }

  ignore(id: string): void {
    this.notOurs.add(id);
    forgetOldest(this.notOurs);
  }

  encoded() {
    const jobs = [...this.jobs.values()].toSorted((a, b) => (a.createdAt ?? 0) - (b.createdAt ?? 0));
    return encodeView({ at: this.at ?? 0, listedAt: this.listedAt, jobs, told: [...this.told].slice(-MAX_TOLD) });
  }
}

/** So many of the ids of ended jobs are passed on to another worker. */
const MAX_TOLD = 2_000;

function forgetOldest(ids: Set<string>): void {
  if (ids.size <= MAX_IDS) return;
  for (const id of ids) {
    ids.delete(id);
    return;
  }
}

/** What is older says too little of the list as it is now, unless the sweeps themselves are that far apart. */
const KEPT_SECONDS = 60 * 60;
/** The same, in longest intervals of the sweeps. */
const KEPT_INTERVALS = 3;

/** By task queue. */
const memories = new WeakMap<Provider, Map<string, AccountMemory>>();

/**
 * The memory of the latest sweep: that of this worker, or the one in the heartbeat details, where another worker made
 * it. An empty one if there is neither, or if it is old.
 *
 * @param now epoch seconds, on Temporal's clock
 */
export function memoryOf(
  provider: Provider,
  taskQueue: string,
  heartbeatDetails: unknown,
  now: number,
  poll: PollBounds,
): AccountMemory {
  const ofProvider = memories.get(provider) ?? new Map<string, AccountMemory>();
  memories.set(provider, ofProvider);
  const own = ofProvider.get(taskQueue);
  const isOwnNewest = own !== undefined && (own.at ?? 0) >= (timeOfView(heartbeatDetails) ?? 0);
  const latest = isOwnNewest ? own : new AccountMemory(decodeView(heartbeatDetails));
  const keptSeconds = Math.max(KEPT_SECONDS, (KEPT_INTERVALS * poll.maxMs) / 1_000);
  const memory = (latest.at ?? now) < now - keptSeconds ? new AccountMemory(null) : latest;
  ofProvider.set(taskQueue, memory);
  return memory;
}
