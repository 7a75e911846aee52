/** When to poll a job again: often while it is young, rarely when it is old, and right after it expires. */

export interface PollBounds {
  /** Milliseconds. */
  readonly minMs: number;
  /** Milliseconds. */
  readonly maxMs: number;
}

/**
 * The end of a job of five minutes is seen at most half a minute late, that of a job of one hour at most five minutes
 * late.
 */
const SHARE_OF_AGE = 0.1;
/** Plus or minus this share, so that thousands of jobs that started together do not poll together. */
const JITTER = 0.2;
/** Poll this long after `expires_at`, so that the provider has had time to expire the job. */
const AFTER_EXPIRY_MS = 2_000;

/**
 * Milliseconds until the next poll.
 *
 * @param random in [0, 1), for the jitter
 */
export function pollInterval(
  bounds: PollBounds,
  times: { readonly nowMs: number; readonly createdAtMs: number | null; readonly expiresAtMs: number | null },
  random: number,
): number {
  const age = Math.max(0, times.nowMs - (times.createdAtMs ?? times.nowMs));
  const byAge = Math.min(Math.max(age * SHARE_OF_AGE, bounds.minMs), Math.max(bounds.minMs, bounds.maxMs));
  const withJitter = byAge * (1 - JITTER + 2 * JITTER * random);
  return notBeyondExpiry(withJitter, times);
}

/** The interval, or a shorter one where the job expires before: then it is looked at right after that. */
export function notBeyondExpiry(
  intervalMs: number,
  { nowMs, expiresAtMs }: { readonly nowMs: number; readonly expiresAtMs: number | null },
): number {
  const untilExpiry = expiresAtMs === null ? Infinity : expiresAtMs + AFTER_EXPIRY_MS - nowMs;
  const interval = untilExpiry > 0 ? Math.min(intervalMs, untilExpiry) : intervalMs;
  return Math.max(1, Math.round(interval));
}
