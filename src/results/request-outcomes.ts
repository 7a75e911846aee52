import type { LineCounts } from '../contract/batch.js';
import { grown, IdTable } from '../jsonl/id-table.js';

/**
 * How a request ended, from worst to best: of several results of one round, the best one counts.
 *
 * - `missing`: its batch has no line for it.
 * - `unreadable`: the same, of a batch with lines that cannot be read or matched.
 * - `unfinished`: it was not run, because its batch expired, was cancelled or failed.
 * - `abandoned`: its batch failed in a way that forbids sending it again.
 * - `noCredit`, `failed`, `final`: it failed for want of credit, with a passing error, with any other error.
 * - `filtered`, `refused`: a content filter stopped it; the model refused to answer.
 * - `noText`, `mismatched`: the answer has no text where the schema looks, or one that does not fit.
 * - `truncated`: the answer was cut off by the token limit, and is therefore not accepted.
 */
export const OUTCOMES = [
  'missing',
  'unreadable',
  'unfinished',
  'abandoned',
  'noCredit',
  'failed',
  'final',
  'filtered',
  'refused',
  'noText',
  'mismatched',
  'truncated',
  'succeeded',
] as const;
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
    const none = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as Record<Outcome, number>;
    this.counts = { ...none, missing: ids.size };
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
    const { succeeded, unfinished, abandoned, missing, unreadable } = this.counts;
    const others = { unfinished: unfinished + abandoned, missing: missing + unreadable };
    const failed = this.ids.size - succeeded - others.unfinished - others.missing;
    return { succeeded, failed, ...others };
  }
}
