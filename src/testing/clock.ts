import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The time of the local API. Each request reads the clock and derives the state of all jobs; only webhooks wait for a
 * time.
 */
export interface Clock {
  /** Epoch milliseconds. May be asynchronous, so that it can follow a Temporal test server. */
  now(): number | Promise<number>;
  /**
   * Resolves when `ms` have passed on the clock, or earlier; always when the signal is aborted. A clock without it is
   * read every 100 ms instead.
   */
  wait?(ms: number, signal: AbortSignal): Promise<void>;
}

/** Longest delay of a timer, in ms of real time: Node takes a longer one for none. */
const MAX_TIMER_MS = 3_600_000;

/** Waits in real time, without keeping the process alive. */
export async function waitInRealTime(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(Math.min(Math.ceil(ms), MAX_TIMER_MS), undefined, { signal, ref: false }).catch(() => undefined);
}

/** Wall-clock time. */
export function realClock(): Clock {
  return { now: () => Date.now(), wait: waitInRealTime };
}

/** Starts at the wall-clock time and runs `factor` times as fast: with 3600 a day takes 24 seconds. */
export function scaledClock(factor: number): Clock {
  const start = Date.now();
  return {
    now: () => start + (Date.now() - start) * factor,
    wait: (ms, signal) => waitInRealTime(ms / factor, signal),
  };
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
  readonly #waiting = new Set<() => void>();

  /** @param start epoch ms @default 2026-01-01T00:00:00Z */
  constructor(start: number = Date.UTC(2026, 0, 1)) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  /** Moves forward by `ms`. */
  advance(ms: number): void {
    this.set(this.#now + ms);
  }

  /** Moves to an absolute time in epoch milliseconds. */
  set(ms: number): void {
    this.#now = ms;
    for (const resume of this.#waiting) resume();
  }

  /** Resolves at the next move, however short. */
  wait(_ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const resume = (): void => {
        this.#waiting.delete(resume);
        resolve();
      };
      this.#waiting.add(resume);
      signal.addEventListener('abort', resume, { once: true });
    });
  }
}
