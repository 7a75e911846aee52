/** Sums over the parts of a bulk batch, for its progress, its page and its result. */
import type { LineCounts } from '../../contract/batch.js';
import type { PartOutcome, RoundPlan, SendReason } from '../../contract/part.js';
import type { OutcomesState } from './state.js';

type Counted = keyof LineCounts;

/** How the requests of a reason were counted in the results of the parts that had sent them before. */
const COUNTED_BEFORE: Readonly<Partial<Record<SendReason, readonly Counted[]>>> = {
  unfinished: ['unfinished', 'missing'],
  failed: ['failed'],
  noCredit: ['failed'],
  mismatched: ['succeeded', 'failed'],
  truncated: ['succeeded', 'failed'],
  refused: ['succeeded', 'failed'],
  filtered: ['succeeded', 'failed'],
  unreadable: ['missing'],
  undelivered: ['missing', 'unfinished'],
};
const ALL: readonly Counted[] = ['missing', 'unfinished', 'failed', 'succeeded'];
const ANOMALIES = ['duplicates', 'unknownIds', 'unreadable'] as const;

/** Counts each request once: those that a round sends again are taken off what the rounds before it had counted. */
export class Tally {
  readonly lines: OutcomesState['lines'];
  readonly anomalies: OutcomesState['anomalies'];

  /** @param sums kept up to date */
  constructor({ lines, anomalies }: Pick<OutcomesState, 'lines' | 'anomalies'>) {
    this.lines = lines;
    this.anomalies = anomalies;
  }

  add({ lines, anomalies }: PartOutcome): void {
    for (const field of ALL) this.lines[field] += lines[field];
    for (const kind of ANOMALIES) this.anomalies[kind] += anomalies?.[kind] ?? 0;
  }

  send({ reasons }: RoundPlan): void {
    for (const [reason, count] of Object.entries(reasons) as [SendReason, number][]) {
      if (reason !== 'first') this.#takeOff(count, [...(COUNTED_BEFORE[reason] ?? []), ...ALL]);
    }
  }

  #takeOff(count: number, fields: readonly Counted[]): void {
    let left = count;
    for (const field of fields) {
      const taken = Math.min(left, this.lines[field]);
      this.lines[field] -= taken;
      left -= taken;
    }
  }
}
