/**
 * One sweep of an account: reads the provider's lists newest first, back to the oldest open job of ours, and wakes the
 * runs of those that have begun or ended. What it tells a run is a hint, so a list may lag, repeat itself or be wrong:
 * the run reads its job itself.
 */
import { log } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { WatchedJob, WatchedKind } from '../../contract/account-watch.js';
import { JOB_KEY, type JobOwner } from '../../contract/job-key.js';
import type { BatchSnapshot, JobSnapshot } from '../../contract/snapshots.js';
import { BATCHES, FINE_TUNING_JOBS, type JobKind } from '../../provider/job-kinds.js';
import { ownerHere, wakeRun, workflowIdOf } from '../../temporal/owner-run.js';
import { retrieveJob } from '../calls/jobs.js';
import { eachJob, oldestPossible } from '../calls/list-jobs.js';
import { someAtOnce } from '../calls/runs.js';
import { latestStep } from '../calls/training-steps.js';
import { findEndedRuns, takeOrphan } from './orphans.js';
import { belongingOf, followedJobs, openRunsOf, type OpenRuns } from './owners.js';
import type { SweepOptions } from './sweep-options.js';
import { DOUBT_SECONDS, hasLostAnswers, isListNeeded, isNews, isQuiet, jobsToConfirm, unconfirmed } from './trust.js';

/** So many pages are read of a list of which nothing is known. What is further back is asked of the runs. */
const MAX_COLD_PAGES = 20;
/** So many pages are read in any sweep. Known jobs that are further back are read one by one. */
const MAX_PAGES = 100;
/** A list may show a job so long after it was created, and need not be in the exact order of creation. */
const LIST_LAG_SECONDS = 60;
/** Without visibility, a job of ours may be as old. */
const LONGEST_JOB_SECONDS = 30 * 24 * 60 * 60;
/** Jobs that are read one by one in a sweep. The others have their turn later. */
const MAX_SINGLES = 100;
/** Of so many unknown jobs the runs are described one by one. */
const MANY_UNKNOWN = 20;

const KINDS = { batches: BATCHES, fineTuning: FINE_TUNING_JOBS } as unknown as Readonly<
  Record<WatchedKind, JobKind<JobSnapshot>>
>;

/** Returns the number of runs that were woken. */
export async function sweepAccount(options: SweepOptions): Promise<number> {
  const { memory, client, taskQueue, now } = options;
  const openRuns = memory.at === null ? await openRunsOf(client, taskQueue) : null;
  let woken = 0;
  for (const name of Object.keys(KINDS) as WatchedKind[]) {
    woken += await new KindSweep(name, KINDS[name], options, openRuns).run();
  }
  if (openRuns === null) await findEndedRuns(options, KINDS, options.checkRunsEvery);
  memory.at = now;
  return woken;
}

/** A run to wake, and the state of its job that the sweep saw. */
interface Hint {
  readonly workflowId: string;
  /** What the memory keeps of the job once the run is woken; null if the job has ended or is gone. */
  readonly job: WatchedJob | null;
}

type KnownOfJob = Pick<WatchedJob, 'workflowId' | 'counts' | 'steps' | 'confirmedAt'>;

class KindSweep {
  readonly #name: WatchedKind;
  readonly #kind: JobKind<JobSnapshot>;
  readonly #options: SweepOptions;
  /** Set in the first sweep only. */
  readonly #openRuns: OpenRuns | null;
  readonly #isFirst: boolean;
  /** Known jobs that the list has not shown. */
  readonly #unseen: Map<string, WatchedJob>;
  /** Jobs with an owner of which nothing is known yet. */
  #unknown = 0;
  #listedRuns: Promise<OpenRuns | null> | null = null;
  /** Runs whose jobs were found. */
  readonly #found = new Set<string>();
  /** By the id of the job. */
  readonly #hints = new Map<string, Hint>();

  constructor(name: WatchedKind, kind: JobKind<JobSnapshot>, options: SweepOptions, openRuns: OpenRuns | null) {
    this.#name = name;
    this.#kind = kind;
    this.#options = options;
    this.#openRuns = openRuns;
    this.#isFirst = options.memory.at === null;
    const known = [...options.memory.jobs.values()].filter((job) => job.kind === name);
    this.#unseen = new Map(known.map((job) => [job.id, job]));
  }

  async run(): Promise<number> {
    const { memory, now } = this.#options;
    const open = [...this.#unseen.values()];
    if (open.length > 0) memory.openAt[this.#name] = now;
    // Every new job is announced: a list on which none of ours has been open for a while need not be read again.
    if (!this.#isFirst && isQuiet(now, memory.openAt[this.#name])) {
      delete memory.listedAt[this.#name];
      return 0;
    }
    if (this.#isFirst || open.length === 0 || isListNeeded(open, now, memory.listReadAt[this.#name])) {
      const isWhole = await this.#readList();
      if (!isWhole && this.#openRuns) await this.#askRuns(this.#openRuns);
    }
    await this.#readSingles();
    return this.#tell();
  }

  /** Returns whether it was read as far back as a job of ours may be that is not known. */
  async #readList(): Promise<boolean> {
    if (this.#openRuns?.oldestStart === null && this.#unseen.size === 0) return true;
    const { api, memory } = this.#options;
    const maxRead = (this.#isFirst ? MAX_COLD_PAGES : MAX_PAGES) * this.#kind.pageSize;
    let read = 0;
    let isWhole = true;
    let listedAt: number | null = null;
    let recent = this.#recent(null);
    let newest: number | null = null;
    const onTime = (time: number) => {
      listedAt ??= time;
      recent = this.#recent(listedAt);
    };
    try {
      for await (const job of eachJob(this.#kind, api, { onTime })) {
        const { createdAt } = job.timestamps;
        newest ??= createdAt;
        read += 1;
        await this.#take(job, createdAt === null || createdAt >= recent);
        const isRecentRead = createdAt !== null && createdAt < recent;
        // A page that was read is looked at to its end: it may show a job twice.
        if (read % this.#kind.pageSize !== 0) continue;
        const isOver = isRecentRead && this.#areSinglesCheaper(read, newest ?? createdAt, createdAt);
        if (!isOver && read < maxRead) continue;
        isWhole = isRecentRead;
        break;
      }
      if (listedAt !== null) memory.listedAt[this.#name] = listedAt;
      memory.listReadAt[this.#name] = this.#options.now;
      return isWhole;
    } catch (error) {
      // The jobs that are known can still be read one by one. Many providers have no fine-tuning jobs at all.
      if (!(error instanceof ApplicationFailure) || !error.nonRetryable) throw error;
      log.warn('The list cannot be read; known jobs are read one by one', { kind: this.#name, reason: error.message });
      return false;
    }
  }

  /** A job that was created since then may be new, in epoch seconds of the provider. */
  #recent(providerTime: number | null): number {
    const { memory, now } = this.#options;
    const listedAt = memory.listedAt[this.#name];
    if (listedAt !== undefined && providerTime !== null) return listedAt - LIST_LAG_SECONDS;
    const oldestRun = this.#openRuns ? (this.#openRuns.oldestStart ?? now) : now - LONGEST_JOB_SECONDS;
    return oldestPossible(memory.at ?? oldestRun, providerTime);
  }

  /** Whether reading known jobs that are further back one by one takes fewer calls than the pages up to the oldest. */
  #areSinglesCheaper(read: number, newest: number, last: number): boolean {
    if (this.#unseen.size === 0) return true;
    if (newest <= last) return false;
    const oldest = Math.min(...[...this.#unseen.values()].map(({ createdAt }) => createdAt ?? last));
    const jobsPerSecond = read / (newest - last);
    const pages = Math.ceil(((last - oldest) * jobsPerSecond) / this.#kind.pageSize);
    return this.#unseen.size <= pages;
  }

  /** @param isRecent whether it may be younger than the last sweep */
  async #take(job: JobSnapshot, isRecent: boolean): Promise<void> {
    const { client, memory } = this.#options;
    const { id, status } = job;
    // What its run denies is not taken from the list: the job is read by itself.
    if (memory.denied.has(id)) return;
    const known = this.#unseen.get(id) ?? memory.jobs.get(id);
    this.#unseen.delete(id);
    if (known) return this.#compareEntry(known, job);
    const hasEnded = this.#kind.statuses.isEnd(status);
    if (hasEnded && memory.orphans.has(id)) memory.tell(id);
    if (!hasEnded && memory.told.has(id)) this.#doubtList();
    if (memory.told.has(id) || memory.notOurs.has(id)) return;
    const owner = await ownerHere(client, job.metadata[JOB_KEY]);
    // If the job had ended before the last sweep, its run was woken by that sweep.
    if (owner === null || (hasEnded && !isRecent)) return;
    const belonging = await this.#belongingOf(owner, job, hasEnded);
    if (belonging === 'ours') return this.#takeNew(job, await workflowIdOf(client, owner), hasEnded);
    if (hasEnded) memory.tell(id);
    else if (belonging === 'ended') await takeOrphan(this.#options, this.#kind, id, owner.workflowId);
    else memory.ignore(id);
  }

  /** An entry of the list that is older than what is known says that the list is behind. */
  #compareEntry(known: WatchedJob, job: JobSnapshot): void {
    const { isEnd, isStepBack } = this.#kind.statuses;
    const entry = this.#watched(job, known);
    this.#found.add(known.workflowId);
    const isOld = isStepBack(known.status, job.status) || (!isEnd(job.status) && hasLostAnswers(known, entry));
    if (isOld) return this.#doubtList();
    this.#compare(known, job, isNews(known, entry) ? this.#options.now : known.confirmedAt);
  }

  /** @param confirmedAt epoch seconds: when the job is known to have been in this state */
  #compare(known: WatchedJob, job: JobSnapshot, confirmedAt: number): void {
    const { id, status } = job;
    const { isEnd, isStepBack } = this.#kind.statuses;
    // Of two entries of a list that contradict each other, the end counts: the run will see.
    if (isStepBack(known.status, status) || this.#hints.get(id)?.job === null) return;
    const { workflowId } = known;
    const seen = isEnd(status) ? null : this.#watched(job, { ...known, confirmedAt });
    if (seen === null || stageOf(status) !== stageOf(known.status)) this.#hints.set(id, { workflowId, job: seen });
    else this.#options.memory.jobs.set(id, seen);
  }

  #doubtList(): void {
    const { memory, now } = this.#options;
    if (!this.#isBehind) log.warn('The list is behind; known jobs are read one by one', { kind: this.#name });
    memory.behindUntil[this.#name] = now + DOUBT_SECONDS;
  }

  get #isBehind(): boolean {
    return this.#options.now < (this.#options.memory.behindUntil[this.#name] ?? 0);
  }

  #takeNew(job: JobSnapshot, workflowId: string, hasEnded: boolean): void {
    const { memory } = this.#options;
    this.#found.add(workflowId);
    const seen = hasEnded ? null : this.#watched(job, { workflowId, counts: null, steps: null, confirmedAt: 0 });
    // At the first sweep nothing tells whether the run knows that its job has begun, which matters little.
    const isTold = hasEnded || (!this.#isFirst && stageOf(job.status) !== 'pending');
    if (isTold) this.#hints.set(job.id, { workflowId, job: seen });
    else if (seen) memory.jobs.set(job.id, seen);
  }

  async #belongingOf(owner: JobOwner, { timestamps }: JobSnapshot, hasEnded: boolean) {
    const { client, taskQueue } = this.#options;
    const openRuns = this.#openRuns ?? (await this.#runsIfMany());
    if (openRuns?.workflowIds.has(owner.workflowId)) return 'ours';
    const isListed = timestamps.createdAt !== null && timestamps.createdAt < (openRuns?.completeUntil ?? 0);
    return hasEnded && isListed ? 'ended' : belongingOf(client, taskQueue, owner);
  }

  /** One list of the open runs instead of two or three calls for each job, where many begin at once. */
  async #runsIfMany(): Promise<OpenRuns | null> {
    this.#unknown += 1;
    if (this.#unknown <= MANY_UNKNOWN) return null;
    const { client, taskQueue } = this.#options;
    this.#listedRuns ??= openRunsOf(client, taskQueue);
    return this.#listedRuns;
  }

  /** @param known what the job itself does not tell; the counts count where a list leaves them out */
  #watched({ id, status, timestamps, ...job }: JobSnapshot, known: KnownOfJob): WatchedJob {
    const { workflowId, steps, confirmedAt } = known;
    const counts = (job as Partial<Pick<BatchSnapshot, 'requestCounts'>>).requestCounts ?? known.counts;
    const { createdAt, expiresAt = null } = timestamps as JobSnapshot['timestamps'] & { expiresAt?: number | null };
    return { kind: this.#name, id, status, workflowId, createdAt, expiresAt, counts, steps, confirmedAt };
  }

  /** Runs whose jobs are further back than the list is read. */
  async #askRuns({ workflowIds }: OpenRuns): Promise<void> {
    const { client, memory } = this.#options;
    const known = new Set([...memory.jobs.values()].map(({ workflowId }) => workflowId));
    const unknown = [...workflowIds].filter((id) => !this.#found.has(id) && !known.has(id));
    for (const job of await followedJobs(client, unknown)) {
      if (job.kind !== this.#name || memory.told.has(job.id)) continue;
      memory.announce([job], 0);
      this.#unseen.set(job.id, { ...job, counts: null, steps: null, confirmedAt: 0 });
    }
  }

  /**
   * Jobs of ours that the list did not show, because it lags or because they are far back in it, and some of those that
   * it showed.
   */
  async #readSingles(): Promise<void> {
    const { api, memory, now } = this.#options;
    for (const known of [...this.#unseen.values(), ...this.#shownToConfirm()].slice(0, MAX_SINGLES)) {
      const { id, workflowId } = known;
      const { value, error } = await retrieveJob(this.#kind, api, id);
      if (error && error.status !== 404) throw api.failure(`${this.#kind.name}.retrieve`, error);
      // It goes to the end: those that had no turn come first in the next sweep.
      memory.jobs.delete(id);
      memory.jobs.set(id, { ...known, confirmedAt: now });
      const isTraining = this.#name === 'fineTuning' && value?.status === 'running';
      const steps = isTraining ? await latestStep(api, id) : known.steps;
      if (value) this.#compare({ ...known, steps }, value, now);
      else this.#hints.set(id, { workflowId, job: null });
    }
  }

  /** Jobs that the list showed, but that are read nevertheless. */
  #shownToConfirm(): WatchedJob[] {
    const { memory, now, poll } = this.#options;
    const shown = [...memory.jobs.values()].filter(
      ({ id, kind }) => kind === this.#name && !this.#unseen.has(id) && !this.#hints.has(id),
    );
    return this.#isBehind ? unconfirmed(shown, now, poll) : jobsToConfirm(shown, now, poll);
  }

  /** Wakes the runs. A job is remembered only after its run was woken, so that an error makes the next sweep try again. */
  async #tell(): Promise<number> {
    const { client, memory } = this.#options;
    const woken = await someAtOnce([...this.#hints], async ([id, { workflowId, job }]) => {
      const isOpen = await wakeRun(client, workflowId);
      if (job === null) memory.tell(id);
      else if (isOpen) memory.jobs.set(id, job);
      else await takeOrphan(this.#options, this.#kind, id, workflowId);
      return isOpen;
    });
    return woken.filter(Boolean).length;
  }
}

/** A run is told when its job enters another stage: its page shows that. */
function stageOf(status: string): 'pending' | 'active' | 'paused' {
  if (['validating', 'validating_files', 'queued'].includes(status)) return 'pending';
  return status === 'paused' ? 'paused' : 'active';
}
