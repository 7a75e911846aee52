import { writeFile } from 'node:fs/promises';
import type { FileStore } from '../files/file-store.js';
import { alphanumericId, randomFor } from '../random.js';
import { RecordStore } from '../record-store.js';
import {
  MAX_TRAINING_SEED,
  fineTuningStateAt,
  timelineOf,
  trainingOf,
  type CheckedFiles,
  type FineTuningParams,
  type FineTuningRecord,
} from './fine-tuning-record.js';
import type { FineTuningScenario } from './fine-tuning-scenario.js';
import { isFineTuningEnd, trainedAt } from './fine-tuning-timeline.js';
import { planFineTuning, type FineTuningTiming } from './fine-tuning-timing.js';
import { inspectExamples, type ExampleFile, type ExampleRules } from './inspect-examples.js';
import { metricsCsv } from './step-metrics.js';

interface FineTuningStoreOptions {
  readonly files: FileStore;
  readonly timing: FineTuningTiming;
  readonly seed: number;
}

const MIN_TRAINING_EXAMPLES = 10;

/** All fine-tuning jobs, and the work that becomes due as time passes: checking files and writing results. */
export class FineTuningStore extends RecordStore<FineTuningRecord, FineTuningStoreOptions> {
  create(params: FineTuningParams, scenario: FineTuningScenario, now: number): FineTuningRecord {
    const { seed, timing } = this.options;
    const number = this.nextNumber();
    const random = randomFor(seed, 'job', number);
    return this.insert({
      id: `ftjob-${alphanumericId(24, random)}`,
      createdAt: now,
      params: { ...params, seed: params.seed ?? Math.floor(random() * MAX_TRAINING_SEED) },
      plan: planFineTuning({ ...timing, ...scenario.timing }, randomFor(seed, 'job-plan', number)),
      scenario,
      modelId: alphanumericId(8, random),
      reads: { stale: 0, foreign: 0 },
      cancelledAt: null,
      pauses: [],
      pausedByScenario: false,
      checked: null,
      resultFiles: null,
    });
  }

  /** Does all the work that is due at `now`. */
  async advance(now: number): Promise<void> {
    for (const record of this.all()) {
      if (record.checked === null && checkDue(record) <= now) record.checked = await this.#checkFiles(record);
      pauseByScenario(record, now);
      const { status, at } = fineTuningStateAt(record, now);
      if (status === 'succeeded' && record.resultFiles === null) {
        record.resultFiles = await this.#writeResults(record, at);
      }
    }
  }

  async #checkFiles(record: FineTuningRecord): Promise<CheckedFiles> {
    const at = checkDue(record);
    const { method, model, trainingFile, validationFile } = record.params;
    const training = await this.#inspect(trainingFile, at, {
      method: method.type,
      model,
      param: 'training_file',
      minExamples: MIN_TRAINING_EXAMPLES,
    });
    if (training.error !== null || validationFile === null) return { training, error: training.error };
    const validation = await this.#inspect(validationFile, at, {
      method: method.type,
      model,
      param: 'validation_file',
      minExamples: 1,
    });
    return { training, error: validation.error };
  }

  async #inspect(fileId: string, at: number, rules: ExampleRules): Promise<ExampleFile> {
    const file = this.options.files.findAvailable(fileId, at);
    if (file !== undefined) return inspectExamples(file.path, rules);
    const error = { code: 'file_not_found', message: `The file ${fileId} could not be found.`, param: rules.param };
    return { examples: 0, tokens: 0, error };
  }

  async #writeResults(record: FineTuningRecord, at: number): Promise<string[]> {
    const { files, seed } = this.options;
    const training = trainingOf(record);
    const { resultFiles } = record.scenario;
    if (resultFiles === 'none' || training === undefined) return [];
    const path = files.newPath();
    const validated = record.params.validationFile !== null;
    await writeFile(path, metricsCsv({ seed, fineTuningJobId: record.id, steps: training.steps, validated }));
    const file = await files.add({
      path,
      filename: 'step_metrics.csv',
      purpose: 'fine-tune-results',
      createdAt: at,
      expiresAfter: null,
      goneStatus: typeof resultFiles === 'number' ? resultFiles : undefined,
    });
    return [file.id];
  }
}

/** The epoch ms at which the files are checked; infinite if the job is cancelled or stuck before. */
function checkDue({ createdAt, plan, scenario, cancelledAt }: FineTuningRecord): number {
  const at = createdAt + plan.validatingMs;
  const cancelled = cancelledAt !== null && cancelledAt < at;
  const stuck = scenario.stuckIn?.includes('validating_files') ?? false;
  return cancelled || stuck ? Infinity : at;
}

/** Makes the one pause of a scenario in which the provider pauses the job. */
function pauseByScenario(record: FineTuningRecord, now: number): void {
  const { pausesAt } = record.scenario;
  if (pausesAt === undefined || record.pausedByScenario) return;
  const at = trainedAt(timelineOf(record), record.plan.runningMs * pausesAt);
  if (at === undefined || at > now || isFineTuningEnd(fineTuningStateAt(record, at).status)) return;
  record.pausedByScenario = true;
  record.pauses = [...record.pauses, { pausedAt: at, resumedAt: null }];
}
