import type { BatchScenario } from './batches/batch-scenario.js';
import type { BatchStore } from './batches/batch-store.js';
import type { Clock } from './clock.js';
import type { FileStore } from './files/file-store.js';
import type { FineTuningScenario } from './fine-tuning/fine-tuning-scenario.js';
import type { FineTuningStore } from './fine-tuning/fine-tuning-store.js';
import type { LocalApiLimits } from './limits.js';
import type { ScenarioQueue } from './scenario-queue.js';
import { Serial } from './serial.js';

/** A batch that is being created, as scenario rules see it. */
export interface CreatedBatch {
  readonly endpoint: string;
  readonly inputFileId: string;
  readonly metadata: Record<string, string>;
}

/** A fine-tuning job that is being created, as scenario rules see it. */
export interface CreatedJob {
  readonly model: string;
  readonly trainingFile: string;
  readonly suffix: string | null;
  readonly metadata: Record<string, string>;
}

export interface WorldParts {
  readonly clock: Clock;
  readonly seed: number;
  readonly limits: LocalApiLimits;
  /** From a file's upload until it is `processed`. */
  readonly fileProcessingMs: number;
  readonly files: FileStore;
  readonly batches: BatchStore;
  readonly jobs: FineTuningStore;
  readonly batchScenarios: ScenarioQueue<CreatedBatch, BatchScenario>;
  readonly jobScenarios: ScenarioQueue<CreatedJob, FineTuningScenario>;
}

/** Everything that the endpoints share. */
export type World = WorldParts & {
  now: () => Promise<number>;
  /** Reads the clock, brings all jobs to that time and runs `work`, with no other request in between. */
  visit: <T>(work: (now: number) => T | Promise<T>) => Promise<T>;
};

export function makeWorld(parts: WorldParts): World {
  const serial = new Serial();
  const now = async (): Promise<number> => parts.clock.now();
  return {
    ...parts,
    now,
    visit: (work) =>
      serial.run(async () => {
        const time = await now();
        await parts.batches.settle(time);
        await parts.jobs.settle(time);
        return work(time);
      }),
  };
}
