/** The one way of waiting that all lifecycles share: watch, cancel when told, never believe a hint, give up on the hopeless. */
import type { Sighting, WatchInput } from '../../contract/activities/jobs.js';
import type { JobSnapshot } from '../../contract/snapshots.js';
import { toMs, type Duration } from '../../contract/spec-fields.js';
import { bounded } from '../../contract/text.js';
import { runFailure } from './run-failures.js';
import type { RunControl } from './run-control.js';

export interface WaitForEnd<T extends JobSnapshot> {
  readonly provider: string;
  /** The job as it was created. */
  readonly job: T;
  readonly spec: {
    readonly vanishedAfter: Duration;
    readonly stuckAfter: Duration;
    readonly poll?: { readonly min?: Duration | undefined; readonly max?: Duration | undefined } | undefined;
  };
  readonly isEnd: (status: string) => boolean;
  readonly isKnown: (status: string) => boolean;
  /** Epoch seconds; null where the provider gives none, or jobs of this kind do not expire. */
  readonly expiresAt: (job: T) => number | null;
  readonly watch: (input: WatchInput) => Promise<Sighting<T>>;
  readonly cancel: (id: string) => Promise<T | null>;
  /** Called with everything new that is seen, and when (epoch seconds). */
  readonly onSeen: (job: T, at: number) => void;
}

/** The job at its end; or, `stuck`, as it was when there was no more hope of one. Fails with `JobVanished`. */
export async function waitForEnd<T extends JobSnapshot>(
  run: RunControl,
  wait: WaitForEnd<T>,
): Promise<{ job: T; stuckSince: number | null }> {
  let { job } = wait;
  let missingSince: number | null = null;
  let cancelSentAt: number | null = null;
  let isCancelDue = true;

  const see = (seen: T, at: number) => {
    job = seen;
    if (!wait.isKnown(seen.status)) {
      run.warn(`Unknown status "${bounded(seen.status, 60)}" taken as not terminal; the wait goes on`);
    }
    wait.onSeen(seen, at);
  };
  see(job, now());

  while (!wait.isEnd(job.status)) {
    if (run.cancellation && isCancelDue) {
      run.enter('cancelling');
      const answer = await wait.cancel(job.id);
      cancelSentAt ??= now();
      isCancelDue = false;
      if (answer) see(answer, now());
      continue;
    }
    const stuckAt = stuckMoment(wait, job, cancelSentAt);
    const input: WatchInput = {
      provider: wait.provider,
      id: job.id,
      status: job.status,
      missingSince,
      vanishedAfterMs: toMs(wait.spec.vanishedAfter),
      stuckAt,
      createdAt: job.timestamps.createdAt,
      expiresAt: wait.expiresAt(job),
      poll: { minMs: msOrNull(wait.spec.poll?.min), maxMs: msOrNull(wait.spec.poll?.max) },
    };
    const watched = await run.untilWokenOrCancelled(() => wait.watch(input));
    if (watched.interrupted) continue;

    const sighting = watched.value;
    switch (sighting.kind) {
      case 'changed':
        missingSince = null;
        see(sighting.job, sighting.at);
        // A job that goes on as if nothing was said (it was missing, or the provider refused then) is told again.
        isCancelDue = !isCancelling(sighting.job.status);
        break;
      case 'missing':
        missingSince = sighting.at;
        run.warn('The provider answered 404 for the job; looking again');
        break;
      case 'vanished':
        throw runFailure(
          'JobVanished',
          `${job.id} is missing at the provider since ${iso(missingSince ?? sighting.at)}`,
          {
            jobId: job.id,
            missingSince,
            lastStatus: job.status,
          },
        );
      case 'stuck':
        see(sighting.job, sighting.at);
        return { job, stuckSince: stuckAt };
    }
  }
  return { job, stuckSince: null };
}

/** `cancelling`, or `cancel_requested` as some call it. */
const isCancelling = (status: string): boolean => status.startsWith('cancel');

function stuckMoment<T extends JobSnapshot>(wait: WaitForEnd<T>, job: T, cancelSentAt: number | null): number | null {
  const grace = Math.ceil(toMs(wait.spec.stuckAfter) / 1_000);
  const expected = [wait.expiresAt(job), cancelSentAt].filter((moment) => moment !== null);
  return expected.length > 0 ? Math.min(...expected) + grace : null;
}

/** Epoch seconds by the workflow's clock. */
export const now = (): number => Math.floor(Date.now() / 1_000);

export const iso = (seconds: number): string => new Date(seconds * 1_000).toISOString().replace('.000Z', 'Z');

const msOrNull = (duration: Duration | undefined): number | null => (duration === undefined ? null : toMs(duration));
