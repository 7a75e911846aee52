import type { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import { Settling, type Lack } from '../../../../src/activities/collect/settling.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const gone: Lack = { key: 'file-1 refused', reason: 'it is gone' };
const short: Lack = { key: 'answers', reason: 'it is short' };

/** The attempts of one activity. Each hands its heartbeat details over to the next, as the server does. */
class Attempts {
  readonly #settleForMs: number;
  #details: unknown;
  /** Milliseconds of the server's clock. */
  now = 1_000_000;

  constructor(settleForMs: number) {
    this.#settleForMs = settleForMs;
  }

  /** Returns the pause that the attempt asks for; null if what it saw is believed. */
  async look(...lacks: Lack[]): Promise<number | null> {
    const info = { heartbeatDetails: this.#details, currentAttemptScheduledTimestampMs: this.now };
    const environment = new MockActivityEnvironment(info);
    return environment.run(async () => {
      const settling = new Settling(this.#settleForMs);
      try {
        settling.mustWaitFor(lacks, 'batch_1');
        return null;
      } catch (error) {
        const { type, nonRetryable, nextRetryDelay } = error as ApplicationFailure;
        if (type !== 'NotSettled' || nonRetryable) throw error;
        return Number(nextRetryDelay);
      } finally {
        this.#details = settling.details();
      }
    });
  }

  /** Looks after each pause until what is seen is believed. Returns the pauses. */
  async lookUntilBelieved(...lacks: Lack[]): Promise<number[]> {
    const pauses: number[] = [];
    for (;;) {
      const pause = await this.look(...lacks);
      if (pause === null) return pauses;
      pauses.push(pause);
      this.now += pause;
    }
  }

  /** An operator's reset of the activity. */
  reset(): void {
    this.#details = undefined;
  }
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

describe('settling', () => {
  it('looks in a row → pauses that grow, and sum to settleFor', async () => {
    const pauses = await new Attempts(15 * MINUTE).lookUntilBelieved(short);
    expect(sum(pauses)).toBe(15 * MINUTE);
    expect(pauses.slice(0, 5)).toEqual([1, 1, 2, 4, 8].map((seconds) => seconds * SECOND));
    expect(Math.max(...pauses)).toBe(2 * MINUTE);
  });

  it('settleFor 0 → believed at once', async () => {
    expect(await new Attempts(0).look(gone)).toBeNull();
  });

  it('no lacks → nothing to wait for', async () => {
    expect(await new Attempts(MINUTE).look()).toBeNull();
  });

  it('a worker that was away for a day, between two looks → only the pause counts', async () => {
    const attempts = new Attempts(MINUTE);
    const first = (await attempts.look(gone))!;
    // The second attempt is scheduled in time and carried out a day later; the third follows it.
    attempts.now += first;
    expect(await attempts.look(gone)).toBe(1 * SECOND);
    attempts.now += 24 * 60 * MINUTE;
    const rest = await attempts.lookUntilBelieved(gone);
    expect(sum(rest)).toBe(MINUTE - 2 * SECOND);
  });

  it('attempts that failed for other reasons → their time does not count', async () => {
    const attempts = new Attempts(MINUTE);
    await attempts.look(gone);
    // An outage of an hour, in which no attempt saw the file.
    attempts.now += 60 * MINUTE;
    expect(sum(await attempts.lookUntilBelieved(gone))).toBe(MINUTE - 1 * SECOND);
  });

  it('an attempt that an operator has carried out before its time → no pause has passed', async () => {
    const attempts = new Attempts(10 * SECOND);
    await attempts.look(gone);
    attempts.now += 100;
    expect(sum(await attempts.lookUntilBelieved(gone))).toBe(10 * SECOND - 100);
  });

  it('a reset, which loses what was seen → the waiting begins anew', async () => {
    const attempts = new Attempts(MINUTE);
    await attempts.lookUntilBelieved(gone);
    attempts.reset();
    expect(sum(await attempts.lookUntilBelieved(gone))).toBe(MINUTE);
  });

  it('another lack at the end → it is waited for as long', async () => {
    const attempts = new Attempts(MINUTE);
    await attempts.lookUntilBelieved(short);
    expect(sum(await attempts.lookUntilBelieved(gone))).toBe(MINUTE);
  });

  it('a lack with a time of its own → believed after that, or after settleFor if that is shorter', async () => {
    const part: Lack = { key: 'events', reason: 'they are refused', forMs: 5 * SECOND };
    expect(sum(await new Attempts(MINUTE).lookUntilBelieved(part))).toBe(5 * SECOND);
    expect(sum(await new Attempts(2 * SECOND).lookUntilBelieved(part))).toBe(2 * SECOND);
    expect(sum(await new Attempts(MINUTE).lookUntilBelieved(part, gone))).toBe(MINUTE);
  });
});
