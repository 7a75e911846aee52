/** A rule in force. */
export interface RuleHandle {
  /** How often the rule has applied so far. */
  readonly hits: number;
  /** Ends the rule. */
  remove(): void;
}

interface Entry<Rule> {
  readonly rule: Rule;
  hits: number;
}

/** Rules in the order in which they were added. The first one that applies wins. */
export class RuleList<Rule> {
  #entries: readonly Entry<Rule>[] = [];

  add(rule: Rule): RuleHandle {
    const entry: Entry<Rule> = { rule, hits: 0 };
    this.#entries = [...this.#entries, entry];
    return {
      get hits() {
        return entry.hits;
      },
      remove: () => {
        this.#entries = this.#entries.filter((other) => other !== entry);
      },
    };
  }

  clear(): void {
    this.#entries = [];
  }

  /** Finds the first rule that applies and counts a hit. @param applies receives the hits so far */
  take(applies: (rule: Rule, hits: number) => boolean): Rule | undefined {
    const entry = this.#entries.find(({ rule, hits }) => applies(rule, hits));
    if (entry !== undefined) entry.hits += 1;
    return entry?.rule;
  }
}
