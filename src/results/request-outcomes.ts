import type { LineCounts } from '../contract/batch.js';
import { grown, IdTable } from '../jsonl/id-table.js';

/**
 * How a request ended, from worst to best: of several results of one round, the best one counts. `abandoned` is a
 * request whose batch failed in a way that forbids sending it again.
 */
export const OUTCOMES = ['missing', 'unfinished', 'abandoned', 'failed', 'rejected', 'refused', 'succeeded'] as const;
export type Outcome = (typeof OUTCOMES)[number];

const RANKS = Object.fromEntries(OUTCOMES.map((outcome, rank) => [outcome, rank])) as Record<Outcome, number>;

/**
 * The outcome of each request, over one batch or over the rounds of a bulk batch. Requests are known by the index of
 * their id; those without any result are `missing`. Memory: two bytes for each request, and its id.
 */
export class RequestOutcomes {
  readonly ids: IdTable;
  /** Requests by outcome. */
  readonly counts: Record<Outcome, number>;
  /** By index: rank of the outcome. */
  #ranks: Uint8Array<ArrayBuffer>;
  /** By index: round of the result that counts, from 1; 0 where there is no result. */
  #rounds: Uint8Array<ArrayBuffer>;

  constructor(ids = new IdTable()) {
    this.ids = ids;
    this.counts = { missing: ids.size, unfinished: 0, abandoned: 0, failed: 0, rejected: 0, refused: 0, succeeded: 0 };
    this.#ranks = new Uint8Array(Math.max(ids.size, 64));
    this.#rounds = new Uint8Array(this.#ranks.length);
  }

  /** Adds a request, unless its id is known, and returns its index. */
  add(customId: string): number {
    const { size } = this.ids;
    const index = this.ids.add(customId);
    if (index < size) return index;
    this.counts.missing += 1;
    this.#ranks = grown(this.#ranks, this.ids.size);
    this.#rounds = grown(this.#rounds, this.ids.size);
    return index;
  }

  /** Whether a result of the request was taken. */
  hasResult(index: number): boolean {
    return this.#rounds[index] !== 0;
  }

  outcomeOf(index: number): Outcome {
    return OUTCOMES[this.#ranks[index]!]!;
  }

  /** Round of the result that counts; 0 where there is no result. */
  roundOf(index: number): number {
    return this.#rounds[index]!;
  }

  /** Whether the request may be sent again. */
  isOpen(index: number): boolean {
    const rank = this.#ranks[index];
    return rank !== RANKS.succeeded && rank !== RANKS.refused && rank !== RANKS.abandoned;
  }

  get openCount(): number {
    return this.ids.size - this.counts.succeeded - this.counts.refused - this.counts.abandoned;
  }

  /**
   * Takes a result, if it is the one that counts now, and returns whether it is. The first success counts in any case,
   * otherwise the results of the last round, and of these the best one.
   *
   * @param round from 1, not less than those before
   * @param ofEqual which one of several equal results of a round counts
   */
  take(index: number, outcome: Outcome, round: number, ofEqual: 'first' | 'last' = 'first'): boolean {
    const former = this.#ranks[index]!;
    if (former === RANKS.succeeded) return false;
    const rank = RANKS[outcome];
    const isSameRound = this.#rounds[index] === round;
    if (isSameRound && (rank < former || (rank === former && ofEqual === 'first'))) return false;
    this.counts[OUTCOMES[former]!] -= 1;
    this.counts[outcome] += 1;
    this.#ranks[index] = rank;
    this.#rounds[index] = round;
    return true;
  }

  /** The counts as results report them; they sum to the number of requests. */
  lineCounts(): LineCounts {
    const { succeeded, failed, rejected, refused, unfinished, abandoned, missing } = this.counts;
    return { succeeded, failed: failed + rejected + refused, unfinished: unfinished + abandoned, missing };
  }
}
