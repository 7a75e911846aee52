/**
 * Refusals of a part that pass: for want of room or credit at the provider. What is waited for, how long, and when
 * waiting is given up.
 */
import type { Part } from '../../contract/part.js';
import type { Refusal } from '../../contract/part-report.js';
import { tokenLimitIn, type PassingRefusal } from '../../contract/refusal-reason.js';
import { bounded } from '../../contract/text.js';
import { iso } from '../lifecycle/time.js';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** The wait after the first refusal, which doubles with each further one, and the longest one. */
const WAITS: Readonly<Record<PassingRefusal, { readonly firstMs: number; readonly longestMs: number }>> = {
  room: { firstMs: 10 * SECOND_MS, longestMs: 30 * MINUTE_MS },
  credit: { firstMs: 10 * MINUTE_MS, longestMs: 4 * HOUR_MS },
};

/** Parts that were refused together do not come back together: each wait is longer by up to this share. */
const JITTER = 0.1;

/** Longest message of the provider that is shown while waiting, in characters. */
const MAX_MESSAGE = 300;

/** How often a part is refused, although it should fit or cannot be divided, until the estimate is taken for wrong. */
const REFUSALS_OF_A_FITTING_PART = 6;
/** A part of so small a share of the limit is not divided further: something else takes up the room. */
const SMALLEST_SHARE = 1 / 8;

/** The refusals of a part, or of a round, in a row. Moments are epoch ms. */
export interface Waiting {
  readonly reason: PassingRefusal;
  /** The provider's words. */
  readonly message: string;
  /** Attempts of the part so far. */
  readonly attempts: number;
  /** Refusals for this reason in a row. */
  readonly refusals: number;
  /** When the first of them was. */
  readonly since: number;
  /** Sum of the waits before the last refusal. */
  readonly waitedMs: number;
  /** The wait after it. */
  readonly pauseMs: number;
  /** When to try again. */
  readonly until: number;
}

/** The wait after a further refusal. */
export function waitAfter(refusal: Refusal, before: Waiting | null, attempts: number): Waiting {
  const { reason } = refusal;
  const now = Date.now();
  const refusals = before?.reason === reason ? before.refusals + 1 : 1;
  const { firstMs, longestMs } = WAITS[reason];
  const pauseMs = Math.round(Math.min(firstMs * 2 ** (refusals - 1), longestMs) * (1 + JITTER * Math.random()));
  return {
    reason,
    message: bounded(refusal.message, MAX_MESSAGE),
    attempts,
    refusals,
    since: before?.since ?? now,
    waitedMs: before === null ? 0 : before.waitedMs + before.pauseMs,
    pauseMs,
    until: now + pauseMs,
  };
}

/** What is waited for, for people. */
export function describeWaiting({ reason, message, until }: Waiting): string {
  return `${reason} at the provider, next attempt at ${iso(Math.floor(until / 1_000))}: ${message}`;
}

/**
 * What to do about a refused part: wait, divide it into parts of so many tokens, or give it up with a reason.
 *
 * @param giveUpAfterMs how long a part may wait for room and credit, all waits together
 */
export function decide(
  part: Pick<Part, 'requests' | 'estimatedTokens'>,
  waiting: Waiting,
  { message }: Refusal,
  giveUpAfterMs: number,
): { readonly kind: 'wait' } | { readonly kind: 'divide'; readonly tokens: number } | GivenUp {
  const { requests, estimatedTokens: tokens } = part;
  const limit = waiting.reason === 'room' ? tokenLimitIn(message) : null;
  if (limit !== null && requests > 1) {
    if (tokens > limit) return { kind: 'divide', tokens: limit };
    const isEstimateInDoubt = waiting.refusals % REFUSALS_OF_A_FITTING_PART === 0;
    if (isEstimateInDoubt && tokens > limit * SMALLEST_SHARE) return { kind: 'divide', tokens: Math.ceil(tokens / 2) };
  }
  if (limit !== null && requests === 1 && tokens > limit && waiting.refusals >= REFUSALS_OF_A_FITTING_PART) {
    const [needed, allowed] = [tokens, limit].map((count) => count.toLocaleString('en-US'));
    return { kind: 'giveUp', reason: `one request of an estimated ${needed} tokens exceeds the limit of ${allowed}` };
  }
  if (waiting.waitedMs < giveUpAfterMs) return { kind: 'wait' };
  const since = iso(Math.floor(waiting.since / 1_000));
  return { kind: 'giveUp', reason: `there was no ${waiting.reason} at the provider since ${since}` };
}

export interface GivenUp {
  readonly kind: 'giveUp';
  readonly reason: string;
}
