/** The time of the local API, which has no timers: each request reads the clock and derives the state of all jobs. */
export interface Clock {
  /** Epoch milliseconds. May be asynchronous, so that it can follow a Temporal test server. */
  now(): number | Promise<number>;
}

/** Wall-clock time. */
export function realClock(): Clock {
  return { now: () => Date.now() };
}

/** Starts at the wall-clock time and runs `factor` times as fast: with 3600 a day takes 24 seconds. */
export function scaledClock(factor: number): Clock {
  const start = Date.now();
  return { now: () => start + (Date.now() - start) * factor };
}

/**
 * Reads the time from a function, in epoch milliseconds.
 *
 * @example Follow Temporal's time-skipping server
 * LocalApi.start({ clock: clockFrom(() => env.currentTimeMs()) })
 */
export function clockFrom(now: () => number | Promise<number>): Clock {
  return { now };
}

/** A clock that moves only on `advance` and `set`, so that test runs are comparable. */
export class ManualClock implements Clock {
  #now: number;

  /** @param start epoch ms @default 2026-01-01T00:00:00Z */
  constructor(start: number = Date.UTC(2026, 0, 1)) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  /** Moves forward by `ms`. */
  advance(ms: number): void {
    this.#now += ms;
  }

  /** Moves to an absolute time in epoch milliseconds. */
  set(ms: number): void {
    this.#now = ms;
  }
}
