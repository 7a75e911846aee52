import { randomFor } from '../random.js';
import { RuleList, type RuleHandle } from '../rule-list.js';

/** How often a rule applies to what it matches. */
export interface RuleLimits {
  /** How many matches pass before the rule applies. @default 0 */
  readonly skip?: number;
  /** The maximum number of times that the rule applies. @default 1 */
  readonly times?: number;
  /** The chance that the rule applies to a match, drawn from the seed. @default 1 */
  readonly probability?: number;
}

interface CountedRule<Rule> {
  readonly rule: Rule;
  readonly random: () => number;
  matches: number;
}

/** Rules in the order in which they were added, each with its limits. The first one that applies wins. */
export class LimitedRules<Rule extends RuleLimits> {
  readonly #seed: number;
  readonly #purpose: string;
  readonly #rules = new RuleList<CountedRule<Rule>>();
  #added = 0;

  /** @param purpose what the chances are drawn for, so that they differ from those of other rules */
  constructor(seed: number, purpose: string) {
    this.#seed = seed;
    this.#purpose = purpose;
  }

  add(rule: Rule): RuleHandle {
    const random = randomFor(this.#seed, this.#purpose, this.#added);
    this.#added += 1;
    return this.#rules.add({ rule, random, matches: 0 });
  }

  clear(): void {
    this.#rules.clear();
  }

  /** The first rule that matches and applies, if there is one; counts a hit. */
  take(matches: (rule: Rule) => boolean): Rule | undefined {
    return this.#rules.take((counted, hits) => {
      if (!matches(counted.rule)) return false;
      counted.matches += 1;
      const { skip = 0, times = 1, probability = 1 } = counted.rule;
      return counted.matches > skip && hits < times && counted.random() < probability;
    })?.rule;
  }
}
