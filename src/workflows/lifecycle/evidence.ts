/** Gaps between observations that count at most. So a verdict needs one observation more than this, at least. */
const MIN_GAPS = 3;

/** Observations come at least this many times while the evidence for a verdict is gathered. */
const REPORTS = 8;

/**
 * Evidence for a verdict that cannot be taken back: that something was observed again and again for long enough. Only
 * time between observations counts, and of each gap no more than a share of what is needed: while the worker was away
 * nothing was observed, so a day of that and two observations within a second prove nothing.
 */
export class Evidence {
  readonly #neededMs: number;
  #gatheredMs = 0;
  #lastMs: number | null = null;

  constructor(neededMs: number) {
    this.#neededMs = neededMs;
  }

  /**
   * Adds an observation.
   *
   * @param atMs when it was made
   * @param notBeforeMs time before this does not count
   * @returns whether the evidence suffices
   */
  observe(atMs: number, notBeforeMs = -Infinity): boolean {
    if (this.#lastMs !== null) {
      const gap = atMs - Math.max(this.#lastMs, notBeforeMs);
      this.#gatheredMs += Math.min(Math.max(0, gap), this.#neededMs / MIN_GAPS);
    }
    this.#lastMs = atMs;
    // A third of the time, three times, may lack a fraction of a millisecond.
    return this.#gatheredMs + 1 >= this.#neededMs;
  }

  /** When the next observation is of use, in epoch milliseconds; null before the first. */
  get nextMs(): number | null {
    return this.#lastMs === null ? null : this.#lastMs + this.#neededMs / REPORTS;
  }

  /** Time until the next observation does not count: what is observed is unknown meanwhile. */
  interrupt(): void {
    this.#lastMs = null;
  }
}
