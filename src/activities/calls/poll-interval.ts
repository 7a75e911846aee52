/** When to look at a job again: often while it is young, rarely when it is old, and right after it expires. */

export interface PollBounds {
  /** Milliseconds. */
  readonly minMs: number;
  /** Milliseconds. */
  readonly maxMs: number;
}

/** A tenth of the job's age: a batch of five minutes is seen at most half a minute late, one of an hour at most five minutes. */
const SHARE_OF_AGE = 0.1;
/** ± a fifth, so that thousands of jobs started together do not poll together. */
const JITTER = 0.2;
/** Look this long after `expires_at`, when the provider has had a moment to act on it. */
const AFTER_EXPIRY_MS = 2_000;

/**
 * Milliseconds until the next look.
 *
 * @param random in [0, 1), for the jitter.
 */
export function pollInterval(
  bounds: PollBounds,
  times: { readonly nowMs: number; readonly createdAtMs: number | null; readonly expiresAtMs: number | null },
  random: number,
): number {
  const age = Math.max(0, times.nowMs - (times.createdAtMs ?? times.nowMs));
  const calm = Math.min(Math.max(age * SHARE_OF_AGE, bounds.minMs), Math.max(bounds.minMs, bounds.maxMs));
  const wanted = calm * (1 - JITTER + 2 * JITTER * random);
  const untilExpiry = times.expiresAtMs === null ? Infinity : times.expiresAtMs + AFTER_EXPIRY_MS - times.nowMs;
  const interval = untilExpiry > 0 ? Math.min(wanted, untilExpiry) : wanted;
  return Math.max(1, Math.round(interval));
}
