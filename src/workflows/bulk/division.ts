/** Parts that turn out larger than the provider's limit are divided within their round. */
import type { ParsedBulkBatchSpec } from '../../contract/bulk-batch.js';
import type { BulkPart } from '../../contract/part.js';
import { runActivity, transferActivities } from '../lifecycle/activity-calls.js';
import type { BulkState } from './state.js';

/** Parts of one round. More would not fit into the payloads. */
const MAX_PARTS = 2_000;

export class Division {
  readonly #spec: ParsedBulkBatchSpec;
  readonly #state: BulkState;
  /** One part is divided at a time, since each division takes the next numbers. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(spec: ParsedBulkBatchSpec, state: BulkState) {
    this.#spec = spec;
    this.#state = state;
  }

  /** Replaces a pending part by parts of so many tokens, and returns these. None if they would be too many. */
  divide(part: BulkPart, tokens: number): Promise<BulkPart[]> {
    const division = this.#last.then(() => this.#divide(part, tokens));
    this.#last = division.catch(() => undefined);
    return division;
  }

  async #divide(part: BulkPart, tokens: number): Promise<BulkPart[]> {
    const { folder, round, pending, done, tokenLimits } = this.#state;
    const { provider, outputUri = null } = this.#spec;
    const { number, model } = part;
    const ofRound = done.filter((outcome) => outcome.round === round).map((outcome) => outcome.part);
    const firstNumber = Math.max(...pending.map((other) => other.number), ...ofRound) + 1;
    const maxParts = MAX_PARTS - pending.length - ofRound.length;
    tokenLimits[model] = Math.min(Object.hasOwn(tokenLimits, model) ? tokenLimits[model]! : Infinity, tokens);
    const summary = `Divide part ${number} into parts of at most ${tokens} tokens`;
    const place = { provider, outputUri, folder };
    const input = { ...place, round, part, tokens, firstNumber, maxParts };
    const smaller = await runActivity(transferActivities.splitPart, summary, input);
    if (smaller.length > 0) {
      this.#state.pending = this.#state.pending.filter((other) => other.number !== number).concat(smaller);
    }
    return smaller;
  }
}
