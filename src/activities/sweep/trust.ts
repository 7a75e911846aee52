/**
 * How far a list is relied on. It may lag, be a copy that is never renewed, or be wrong about one job; so jobs whose
 * entries have not changed for long are read one by one in turn, and all of them where the list was seen to be behind.
 */
import type { WatchedJob } from '../../contract/account-watch.js';
import { pollInterval, type PollBounds } from '../calls/poll-interval.js';

/** So few jobs are read one by one, without the list, which takes no more calls. */
const FEW_JOBS = 2;
/** Among so few jobs the list is read so often nevertheless, in seconds: it also shows jobs that nobody announced. */
const LIST_OF_FEW_EVERY = 60 * 60;
/** Jobs often start in groups. While one is younger than this, in seconds, others may not have been announced yet. */
const YOUNG_SECONDS = 2 * 60;
/** A sweep confirms this number of jobs divided by the number of open jobs, and at least one. */
const CONFIRMED_AMONG = 10;
/** A list that was behind is not relied on for so long, in seconds. */
export const DOUBT_SECONDS = 15 * 60;

/** @param openAt epoch seconds: when a job of the list was known to be open last */
export function isQuiet(now: number, openAt: number | undefined): boolean {
  return openAt === undefined || now >= openAt + YOUNG_SECONDS;
}

/**
 * Whether a sweep reads the list, and not only the open jobs.
 *
 * @param now epoch seconds, on Temporal's clock
 * @param listReadAt the same; undefined for a list that was not read yet
 */
export function isListNeeded(
  openJobs: readonly Pick<WatchedJob, 'createdAt'>[],
  now: number,
  listReadAt: number | undefined,
): boolean {
  if (openJobs.length > FEW_JOBS || listReadAt === undefined || now >= listReadAt + LIST_OF_FEW_EVERY) return true;
  return openJobs.some(({ createdAt }) => createdAt === null || now < createdAt + YOUNG_SECONDS);
}

/**
 * The jobs whose turn it is to be read, although the list shows them: those that have not been known to be right for
 * longer than a run that looks at its own job would wait.
 *
 * @param now epoch seconds, on Temporal's clock
 */
export function jobsToConfirm(jobs: readonly WatchedJob[], now: number, poll: PollBounds): WatchedJob[] {
  const most = Math.max(1, Math.floor(CONFIRMED_AMONG / jobs.length));
  return unconfirmed(jobs, now, poll).slice(0, most);
}

/** All jobs that are not known to be right, the one that was not for the longest time first. */
export function unconfirmed(jobs: readonly WatchedJob[], now: number, poll: PollBounds): WatchedJob[] {
  const isDue = (job: WatchedJob) => (now - job.confirmedAt) * 1_000 >= watchInterval(job, now * 1_000, poll, 0);
  return jobs.filter(isDue).toSorted((a, b) => a.confirmedAt - b.confirmedAt);
}

/**
 * Milliseconds until a job should be looked at again.
 *
 * @param random in [0, 1), for the jitter
 */
export function watchInterval(
  { createdAt, expiresAt }: Pick<WatchedJob, 'createdAt' | 'expiresAt'>,
  nowMs: number,
  poll: PollBounds,
  random: number,
): number {
  return pollInterval(poll, { nowMs, createdAtMs: toMs(createdAt), expiresAtMs: toMs(expiresAt) }, random);
}

/** Fewer requests are answered than is known. */
export function hasLostAnswers(known: Pick<WatchedJob, 'counts'>, entry: Pick<WatchedJob, 'counts'>): boolean {
  if (known.counts === null || entry.counts === null) return false;
  return entry.counts.completed + entry.counts.failed < known.counts.completed + known.counts.failed;
}

/** Whether an entry of a list says anything new of a job. */
export function isNews(known: WatchedJob, entry: WatchedJob): boolean {
  if (known.status !== entry.status) return true;
  if (entry.counts === null) return false;
  const { counts } = known;
  return counts === null || counts.completed !== entry.counts.completed || counts.failed !== entry.counts.failed;
}

const toMs = (seconds: number | null): number | null => (seconds === null ? null : seconds * 1_000);
