import { BATCH_SCENARIOS, type BatchScenario, type BatchScenarioName } from './batches/batch-scenario.js';
import {
  FINE_TUNING_SCENARIOS,
  type FineTuningScenario,
  type FineTuningScenarioName,
} from './fine-tuning/fine-tuning-scenario.js';
import { RuleList, type RuleHandle } from './rule-list.js';

/** A scenario rule in force; its hits are the jobs that it applied to. */
export type ScenarioHandle = RuleHandle;

/** A batch that is being created, as scenario rules see it. */
export interface CreatedBatch {
  readonly endpoint: string;
  readonly inputFileId: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** A fine-tuning job that is being created, as scenario rules see it. */
export interface CreatedFineTuningJob {
  readonly model: string;
  readonly trainingFile: string;
  readonly suffix: string | null;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The scenarios of new jobs of one kind: a queue for the next ones, then rules. */
class ScenarioQueue<Created, Scenario extends object> {
  readonly #named: Readonly<Record<string, Scenario>>;
  readonly #next: Scenario[] = [];
  readonly #rules = new RuleList<{ match: (created: Created) => boolean; scenario: Scenario }>();

  constructor(named: Readonly<Record<string, Scenario>>) {
    this.#named = named;
  }

  forNext(scenario: string | Scenario): void {
    this.#next.push(this.#resolve(scenario));
  }

  forAll(match: (created: Created) => boolean, scenario: string | Scenario): ScenarioHandle {
    return this.#rules.add({ match, scenario: this.#resolve(scenario) });
  }

  clear(): void {
    this.#next.length = 0;
    this.#rules.clear();
  }

  /** The scenario of a job that is being created now, if there is one. */
  take(created: Created): Scenario | undefined {
    return this.#next.shift() ?? this.#rules.take(({ match }) => match(created))?.scenario;
  }

  #resolve(scenario: string | Scenario): Scenario {
    if (typeof scenario !== 'string') return scenario;
    const named = this.#named[scenario];
    if (named === undefined) {
      throw new Error(`unknown scenario "${scenario}"; known are ${Object.keys(this.#named).join(', ')}`);
    }
    return named;
  }
}

/**
 * Decides what happens to the batches and fine-tuning jobs created from now on. A scenario may be given by its name in
 * `BATCH_SCENARIOS` or `FINE_TUNING_SCENARIOS`.
 */
export class Scenarios {
  readonly #batches = new ScenarioQueue<CreatedBatch, BatchScenario>(BATCH_SCENARIOS);
  readonly #fineTuningJobs = new ScenarioQueue<CreatedFineTuningJob, FineTuningScenario>(FINE_TUNING_SCENARIOS);

  /** Sets the scenario of the next batch; several calls queue up. @throws on an unknown name */
  forNextBatch(scenario: BatchScenarioName | BatchScenario): void {
    this.#batches.forNext(scenario);
  }

  /** Sets the scenario of every batch that matches, until the rule is removed. @throws on an unknown name */
  forBatches(match: (batch: CreatedBatch) => boolean, scenario: BatchScenarioName | BatchScenario): ScenarioHandle {
    return this.#batches.forAll(match, scenario);
  }

  /** Sets the scenario of the next fine-tuning job; several calls queue up. @throws on an unknown name */
  forNextFineTuningJob(scenario: FineTuningScenarioName | FineTuningScenario): void {
    this.#fineTuningJobs.forNext(scenario);
  }

  /** Sets the scenario of every fine-tuning job that matches, until the rule is removed. @throws on an unknown name */
  forFineTuningJobs(
    match: (fineTuningJob: CreatedFineTuningJob) => boolean,
    scenario: FineTuningScenarioName | FineTuningScenario,
  ): ScenarioHandle {
    return this.#fineTuningJobs.forAll(match, scenario);
  }

  /** Removes all rules and queued scenarios. */
  clear(): void {
    this.#batches.clear();
    this.#fineTuningJobs.clear();
  }

  /** The scenario of a batch that is being created; an empty one if none applies. */
  takeForBatch(batch: CreatedBatch): BatchScenario {
    return this.#batches.take(batch) ?? {};
  }

  /** The scenario of a fine-tuning job that is being created; an empty one if none applies. */
  takeForFineTuningJob(fineTuningJob: CreatedFineTuningJob): FineTuningScenario {
    return this.#fineTuningJobs.take(fineTuningJob) ?? {};
  }
}
