import type { BatchScenario, BatchScenarioName } from './batches/batch-scenario.js';
import type { FineTuningScenario, FineTuningScenarioName } from './fine-tuning/fine-tuning-scenario.js';
import type { ScenarioHandle, ScenarioQueue } from './scenario-queue.js';
import type { CreatedBatch, CreatedJob } from './world.js';

/** Decides what happens to the batches and jobs that are created from now on. Names are those of the exported tables. */
export class Scenarios {
  readonly #batches: ScenarioQueue<CreatedBatch, BatchScenario>;
  readonly #jobs: ScenarioQueue<CreatedJob, FineTuningScenario>;

  constructor(queues: {
    batchScenarios: ScenarioQueue<CreatedBatch, BatchScenario>;
    jobScenarios: ScenarioQueue<CreatedJob, FineTuningScenario>;
  }) {
    this.#batches = queues.batchScenarios;
    this.#jobs = queues.jobScenarios;
  }

  /** For the next batch; several calls queue up. */
  forNextBatch(scenario: BatchScenarioName | BatchScenario): void {
    this.#batches.forNext(scenario);
  }

  /** For every batch that matches, until removed. */
  forBatches(match: (batch: CreatedBatch) => boolean, scenario: BatchScenarioName | BatchScenario): ScenarioHandle {
    return this.#batches.forAll(match, scenario);
  }

  /** For the next fine-tuning job; several calls queue up. */
  forNextJob(scenario: FineTuningScenarioName | FineTuningScenario): void {
    this.#jobs.forNext(scenario);
  }

  /** For every fine-tuning job that matches, until removed. */
  forJobs(match: (job: CreatedJob) => boolean, scenario: FineTuningScenarioName | FineTuningScenario): ScenarioHandle {
    return this.#jobs.forAll(match, scenario);
  }

  clear(): void {
    this.#batches.clear();
    this.#jobs.clear();
  }
}
