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

  /** Creates within the last hour, of whole minutes. */
  recent(now: number): number {
    return this.#since(now).reduce((sum, [, count]) => sum + count, 0);
  }

  isFree(now: number): boolean {
    return this.freeAt(now) <= now;
  }

  /** When the next grant may be given; now, if it may be given at once. */
  freeAt(now: number): number {
    if (this.limit === null) return now;
    let tooMany = this.recent(now) - Math.max(1, this.limit) + 1;
    for (const [minute, count] of this.#since(now).toSorted(([a], [b]) => a - b)) {
      if (tooMany <= 0) break;
      tooMany -= count;
      if (tooMany <= 0) return minute + HOUR_MS + MINUTE_MS;
    }
    return now;
  }

  #since(now: number): (readonly [minute: number, count: number])[] {
    const since = startOfMinute(now) - HOUR_MS;
    return [...this.#grants].filter(([minute]) => minute >= since);
  }
}

const startOfMinute = (now: number): number => Math.floor(now / MINUTE_MS) * MINUTE_MS;
