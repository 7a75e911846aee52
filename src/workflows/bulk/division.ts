/** Parts that turn out larger than the provider's limit are divided within their round. */
import { runActivity, transferActivities } from '../lifecycle/activity-calls.js';
import type { RoundContext } from './round-context.js';
import type { BegunPart } from './state.js';

/** Parts of one round. */
const MAX_PARTS = 50_000;

export class Division {
  readonly #context: RoundContext;
  /** One part is divided at a time, since each division takes the next numbers. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(context: RoundContext) {
    this.#context = context;
  }

  /** Replaces a part by parts of so many tokens, which come next, and returns their number; 0 if they would be too many. */
  divide(part: BegunPart, tokens: number): Promise<number> {
    const division = this.#last.then(() => this.#divide(part, tokens));
    this.#last = division.catch(() => undefined);
    return division;
  }

  async #divide(begun: BegunPart, tokens: number): Promise<number> {
    const { spec, state, folder, onChange } = this.#context;
    const { round, parts, tokenLimits } = state;
    const { part } = begun;
    tokenLimits[part.model] = Math.min(
      Object.hasOwn(tokenLimits, part.model) ? tokenLimits[part.model]! : Infinity,
      tokens,
    );
    const list = `parts-of-${part.number}`;
    const firstNumber = parts.lastNumber + 1;
    const maxParts = MAX_PARTS - parts.total;
    const summary = `Divide part ${part.number} into parts of at most ${tokens} tokens`;
    const input = { ...folder, provider: spec.provider, round, part, tokens, firstNumber, maxParts, list };
    const count = await runActivity(transferActivities.splitPart, summary, input);
    if (count === 0) return 0;
    parts.begun.splice(parts.begun.indexOf(begun), 1);
    parts.lists.unshift({ name: list, next: 0, count });
    parts.total += count - 1;
    parts.lastNumber += count;
    onChange();
    return count;
  }
}
