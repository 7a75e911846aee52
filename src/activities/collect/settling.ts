/**
 * When the results of an ended job can be believed. What was read must account for what the provider counts; until it
 * does, the activity fails and is attempted again, for as long as the spec's `settleFor`.
 */
import { activityInfo } from '@temporalio/activity';
import { ApplicationFailureCategory } from '@temporalio/common';
import { z } from 'zod';
import { failure } from '../../contract/failures.js';

const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 120_000;

/** Something that the results of an ended job do not have yet, and that may still come. */
export interface Lack {
  /** What is lacking. Attempts that report the same key saw the same lack. */
  readonly key: string;
  /** A phrase. */
  readonly reason: string;
  /**
   * Milliseconds for which it is waited for, if that is shorter than `settleFor`.
   * @default `settleFor`
   */
  readonly forMs?: number;
}

/** Heartbeat details, by which an attempt hands over to the next one what the earlier attempts saw. */
const handoverSchema = z.object({
  /** Milliseconds for which each lack has been waited for, by its key; 0 for one that was seen once. */
  waited: z.record(z.string(), z.number()),
  /** When the last attempt that saw a lack was scheduled, in milliseconds of the server's clock. */
  scheduledAt: z.number(),
  /** The pause that this attempt asked for, in milliseconds. */
  pauseMs: z.number(),
});
type Handover = z.output<typeof handoverSchema>;

/**
 * What the attempts of a collecting activity saw so far.
 *
 * Only pauses between two looks of a worker count. An attempt may be scheduled long before a worker carries it out, and
 * attempts that failed for other reasons saw nothing, so the time since the first look proves nothing. The pause that
 * an attempt asks for has certainly passed when the next attempt looks. An operator's reset of the activity loses the
 * handover; the waiting begins anew.
 */
export class Settling {
  readonly #settleForMs: number;
  #handover: Handover;

  constructor(settleForMs: number) {
    this.#settleForMs = settleForMs;
    const none = { waited: {}, scheduledAt: 0, pauseMs: 0 };
    this.#handover = handoverSchema.safeParse(activityInfo().heartbeatDetails).data ?? none;
  }

  /** Whether an earlier attempt found the results incomplete, so that the job must be read again. */
  get hasBegun(): boolean {
    return this.#handover.scheduledAt > 0;
  }

  readonly details = (): Handover => this.#handover;

  /**
   * Called when the results are incomplete. Returns when that is to be believed.
   *
   * @throws ApplicationFailure `NotSettled`, which is retried
   */
  mustWaitFor(lacks: readonly Lack[], jobId: string): void {
    if (this.#settleForMs === 0 || lacks.length === 0) return;
    const { currentAttemptScheduledTimestampMs: scheduledAt } = activityInfo();
    const former = this.#handover;
    // An operator may have an attempt carried out before its time.
    const paused = Math.max(0, Math.min(former.pauseMs, scheduledAt - former.scheduledAt));
    const waited = { ...former.waited };
    for (const key of new Set(lacks.map((lack) => lack.key))) {
      const before = waited[key];
      waited[key] = before === undefined ? 0 : before + paused;
    }
    const remainingMs = Math.max(...lacks.map((lack) => this.#limitOf(lack) - waited[lack.key]!));
    if (remainingMs <= 0) return;
    // The pauses double.
    const soFar = Math.max(...lacks.map((lack) => waited[lack.key]!));
    const pauseMs = Math.ceil(Math.min(Math.max(soFar, FIRST_DELAY_MS), MAX_DELAY_MS, remainingMs));
    this.#handover = { waited, scheduledAt, pauseMs };
    throw notSettled(lacks, jobId, pauseMs);
  }

  #limitOf({ forMs = Infinity }: Lack): number {
    return Math.min(forMs, this.#settleForMs);
  }
}

function notSettled(lacks: readonly Lack[], jobId: string, pauseMs: number) {
  const reasons = lacks.map(({ reason }) => reason);
  const seconds = Math.max(1, Math.round(pauseMs / 1_000));
  const benign = failure(
    'NotSettled',
    `${jobId} has ended, but its results are not complete yet: ${reasons.join('; ')}; reading them again in ${seconds} s`,
    { jobId, lacks: reasons },
    { category: ApplicationFailureCategory.BENIGN, nextRetryDelay: pauseMs },
  );
  // The UI shows the stack, which is meaningless for "not yet".
  benign.stack = '';
  return benign;
}
