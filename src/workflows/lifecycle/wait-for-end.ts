/**
 * Waiting for a job to end, the same for all kinds of jobs: watch it, cancel it when that is requested, and give up on
 * a job that has vanished or is stuck.
 */
import type { Sighting, WatchInput } from '../../contract/activities/jobs.js';
import { failure } from '../../contract/failures.js';
import type { JobSnapshot } from '../../contract/snapshots.js';
import { toMs, type Duration } from '../../contract/spec-fields.js';
import type { StatusRules } from '../../contract/status.js';
import { bounded } from '../../contract/text.js';
import type { RunControl } from './run-control.js';
import { iso, now } from './time.js';

/** Status rules whose test for an end narrows the status. */
export interface EndingStatusRules<End extends string> extends StatusRules {
  readonly isEnd: (status: string) => status is End;
}

export interface WaitOptions<Job extends JobSnapshot, End extends string> {
  readonly provider: string;
  /** The job as it was created. */
  readonly job: Job;
  readonly spec: {
    readonly vanishedAfter: Duration;
    readonly stuckAfter: Duration;
    readonly poll?: { readonly min?: Duration | undefined; readonly max?: Duration | undefined } | undefined;
  };
  readonly statuses: EndingStatusRules<End>;
  /** Epoch seconds; null where the provider reports none, or jobs of this kind do not expire. */
  readonly expiresAt: (job: Job) => number | null;
  readonly watch: (input: WatchInput) => Promise<Sighting<Job>>;
  readonly cancel: (id: string) => Promise<Job | null>;
  /** Called with every new snapshot, and when it was read (epoch seconds). */
  readonly onSeen: (job: Job, at: number) => void;
}

export interface EndedJob<Job, End extends string> {
  readonly isStuck: false;
  readonly job: Job;
  readonly status: End;
}

/** A job without an end long after there should have been one. */
export interface StuckJob<Job> {
  readonly isStuck: true;
  readonly job: Job;
  /** Epoch seconds: when it counted as stuck. */
  readonly since: number;
}

/** @throws `JobVanished` when the job is missing for longer than the spec's `vanishedAfter` */
export async function waitForEnd<Job extends JobSnapshot, End extends string>(
  run: RunControl,
  options: WaitOptions<Job, End>,
): Promise<EndedJob<Job, End> | StuckJob<Job>> {
  const { statuses, onSeen } = options;
  let { job } = options;
  let missingSince: number | null = null;
  let cancelSentAt: number | null = null;
  let isCancelDue = true;
  const watchedSince = now();

  const see = (seen: Job, at: number) => {
    job = seen;
    if (!statuses.isKnown(seen.status)) {
      run.warn(`Unknown status "${bounded(seen.status, 60)}", treated as not terminal`);
    }
    onSeen(seen, at);
  };
  see(job, now());

  while (true) {
    const { status } = job;
    if (statuses.isEnd(status)) return { isStuck: false, job, status };
    if (run.cancellation && isCancelDue) {
      run.enter('cancelling');
      const cancelled = await options.cancel(job.id);
      cancelSentAt ??= now();
      isCancelDue = false;
      if (cancelled) see(cancelled, now());
      continue;
    }
    const input: WatchInput = watchInput(options, job, { missingSince, cancelSentAt, watchedSince });
    const watched = await run.untilWokenOrCancelled(() => options.watch(input));
    if (watched.interrupted) continue;

    const sighting = watched.value;
    switch (sighting.kind) {
      case 'changed':
        missingSince = null;
        see(sighting.job, sighting.at);
        // The provider may have lost the cancel (the job was missing, or it refused just then): send it again.
        isCancelDue = !isCancelling(sighting.job.status);
        break;
      case 'missing':
        missingSince = sighting.at;
        run.warn('The provider returned 404 for the job; polling continues');
        break;
      case 'vanished':
        throw vanished(job, missingSince, sighting.at);
      case 'stuck':
        see(sighting.job, sighting.at);
        return { isStuck: true, job, since: input.stuckAt ?? sighting.at };
    }
  }
}

interface WaitState {
  readonly missingSince: number | null;
  readonly cancelSentAt: number | null;
  readonly watchedSince: number;
}

function watchInput<Job extends JobSnapshot>(
  { provider, spec, expiresAt }: Pick<WaitOptions<Job, string>, 'provider' | 'spec' | 'expiresAt'>,
  job: Job,
  { missingSince, cancelSentAt, watchedSince }: WaitState,
): WatchInput {
  const expiry = expiresAt(job);
  return {
    provider,
    id: job.id,
    status: job.status,
    missingSince,
    vanishedAfterMs: toMs(spec.vanishedAfter),
    stuckAt: stuckAt(spec.stuckAfter, [expiry, cancelSentAt], watchedSince),
    createdAt: job.timestamps.createdAt,
    expiresAt: expiry,
    poll: { minMs: msOrNull(spec.poll?.min), maxMs: msOrNull(spec.poll?.max) },
  };
}

/**
 * When the job counts as stuck: `stuckAfter` later than the first moment at which it should have ended; null without
 * one. A moment before the run began to watch (an expiry in the past, as Azure sends it) says nothing.
 */
function stuckAt(stuckAfter: Duration, expectedEnds: readonly (number | null)[], watchedSince: number): number | null {
  const moments = expectedEnds.filter((moment) => moment !== null);
  if (moments.length === 0) return null;
  return Math.max(Math.min(...moments), watchedSince) + Math.ceil(toMs(stuckAfter) / 1_000);
}

function vanished({ id: jobId, status: lastStatus }: JobSnapshot, missingSince: number | null, at: number) {
  const message = `${jobId} has been missing at the provider since ${iso(missingSince ?? at)}`;
  return failure('JobVanished', message, { jobId, missingSince, lastStatus });
}

/** `cancelling`, or `cancel_requested` at some providers. */
const isCancelling = (status: string): boolean => status.startsWith('cancel');

const msOrNull = (duration: Duration | undefined): number | null => (duration === undefined ? null : toMs(duration));
