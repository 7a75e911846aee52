/** A standing rule; `remove()` ends it. */
export interface ScenarioHandle {
  /** Jobs that got the scenario so far. */
  readonly hits: number;
  remove(): void;
}

/** Which new job gets which scenario: the queue of the next ones first, then the standing rules in their order. */
export class ScenarioQueue<Created, Scenario extends object> {
  readonly #named: Record<string, Scenario>;
  readonly #next: Scenario[] = [];
  #rules: { match: (created: Created) => boolean; scenario: Scenario; hits: number }[] = [];

  constructor(named: Record<string, Scenario>) {
    this.#named = named;
  }

  /** For the next job that is created; several calls queue up. @throws on an unknown name */
  forNext(scenario: string | Scenario): void {
    this.#next.push(this.#resolve(scenario));
  }

  /** For every job that matches, until removed. */
  forAll(match: (created: Created) => boolean, scenario: string | Scenario): ScenarioHandle {
    const rule = { match, scenario: this.#resolve(scenario), hits: 0 };
    this.#rules.push(rule);
    return {
      get hits() {
        return rule.hits;
      },
      remove: () => {
        this.#rules = this.#rules.filter((other) => other !== rule);
      },
    };
  }

  clear(): void {
    this.#next.length = 0;
    this.#rules = [];
  }

  /** The scenario of a job that is being created now; an empty one if none applies. */
  take(created: Created): Scenario {
    const next = this.#next.shift();
    if (next !== undefined) return next;
    const rule = this.#rules.find(({ match }) => match(created));
    if (rule === undefined) return {} as Scenario;
    rule.hits += 1;
    return rule.scenario;
  }

  #resolve(scenario: string | Scenario): Scenario {
    if (typeof scenario !== 'string') return scenario;
    const named = this.#named[scenario];
    if (named === undefined) throw new Error(`No scenario is called '${scenario}'.`);
    return named;
  }
}
