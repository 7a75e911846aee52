/** How many batches the account may create within an hour. Each grant is followed by a create. */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

export class CreateRate {
  /** Null where it is not known. */
  limit: number | null;
  /** By the start of the minute. Whole minutes are counted, so the number is never too low. */
  readonly #grants: Map<number, number>;

  constructor(grants: Iterable<readonly [number, number]> = [], limit: number | null = null) {
    this.#grants = new Map(grants);
    this.limit = limit;
  }

  get state(): [minute: number, count: number][] {
    return [...this.#grants];
  }

  count(now: number): void {
    const minute = startOfMinute(now);
    this.#grants.set(minute, (this.#grants.get(minute) ?? 0) + 1);
    for (const old of this.#grants.keys()) if (old < minute - HOUR_MS) this.#grants.delete(old);
  }

  isFree(now: number): boolean {
    return this.freeAt(now) <= now;
  }

  /** When the next grant may be given; now, if it may be given at once. */
  freeAt(now: number): number {
    if (this.limit === null) return now;
    const since = startOfMinute(now) - HOUR_MS;
    const recent = [...this.#grants].filter(([minute]) => minute >= since).toSorted(([a], [b]) => a - b);
    let tooMany = recent.reduce((sum, [, count]) => sum + count, 0) - Math.max(1, this.limit) + 1;
    for (const [minute, count] of recent) {
      if (tooMany <= 0) break;
      tooMany -= count;
      if (tooMany <= 0) return minute + HOUR_MS + MINUTE_MS;
    }
    return now;
  }
}

const startOfMinute = (now: number): number => Math.floor(now / MINUTE_MS) * MINUTE_MS;
