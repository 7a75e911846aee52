/**
 * When the results of an ended job can be believed. What was read must account for what the provider counts; until it
 * does, the activity fails and is attempted again, for as long as the spec's `settleFor`.
 */
import { activityInfo } from '@temporalio/activity';
import { ApplicationFailureCategory } from '@temporalio/common';
import { z } from 'zod';
import { failure } from '../../contract/failures.js';

const FIRST_DELAY_MS = 2_000;
const MAX_DELAY_MS = 120_000;

/** Observations that are needed before a lack is believed, however much time has passed between them. */
const MIN_OBSERVATIONS = 3;

/** Heartbeat details, by which an attempt hands over to the next one what the earlier attempts saw. */
const handoverSchema = z.object({
  observations: z.number(),
  /** Milliseconds of the server's clock at the first observation; null until the second attempt can tell. */
  firstAt: z.number().nullable(),
  /** The pause after the last observation, in milliseconds. */
  delayMs: z.number(),
});
type Handover = z.output<typeof handoverSchema>;

/**
 * What the attempts of a collecting activity saw so far.
 *
 * An attempt may be scheduled long before a worker carries it out, so its own time proves nothing. The pause does: the
 * server schedules an attempt that long after the previous one ended, so a worker was looking at that time.
 */
export class Settling {
  readonly #settleForMs: number;
  #handover: Handover;

  constructor(settleForMs: number) {
    const { heartbeatDetails, currentAttemptScheduledTimestampMs: scheduledAt } = activityInfo();
    this.#settleForMs = settleForMs;
    const earlier = handoverSchema.safeParse(heartbeatDetails).data ?? { observations: 0, firstAt: null, delayMs: 0 };
    this.#handover =
      earlier.observations > 0 ? { ...earlier, firstAt: earlier.firstAt ?? scheduledAt - earlier.delayMs } : earlier;
  }

  /** Whether an earlier attempt found the results incomplete, so that the job must be read again. */
  get hasBegun(): boolean {
    return this.#handover.observations > 0;
  }

  readonly details = (): Handover => this.#handover;

  /**
   * Called when the results are incomplete. Returns when that is to be believed.
   *
   * @param lacks what is missing, as phrases
   * @throws ApplicationFailure `NotSettled`, which is retried
   */
  mustWaitFor(lacks: readonly string[], jobId: string): void {
    const { observations, firstAt } = this.#handover;
    const elapsedMs = firstAt === null ? 0 : activityInfo().currentAttemptScheduledTimestampMs - firstAt;
    if (this.#settleForMs === 0) return;
    if (observations + 1 >= MIN_OBSERVATIONS && elapsedMs >= this.#settleForMs) return;
    const remainingMs = Math.max(this.#settleForMs - elapsedMs, FIRST_DELAY_MS);
    const delayMs = Math.min(FIRST_DELAY_MS * 2 ** Math.min(observations, 10), MAX_DELAY_MS, remainingMs);
    this.#handover = { observations: observations + 1, firstAt, delayMs };
    const message = `${jobId} has ended, but its results are not complete yet: ${lacks.join('; ')}; reading them again in ${Math.round(delayMs / 1_000)} s`;
    const benign = failure(
      'NotSettled',
      message,
      { jobId, lacks },
      { category: ApplicationFailureCategory.BENIGN, nextRetryDelay: delayMs },
    );
    // The UI shows the stack, which is meaningless for "not yet".
    benign.stack = '';
    throw benign;
  }
}
