import { writeFile } from 'node:fs/promises';
import type { FileStore } from '../files/file-store.js';
import { alphanumericId, randomFor } from '../random.js';
import {
  jobStateAt,
  jobTimeline,
  trainingOf,
  type CheckedFiles,
  type FineTuningOrder,
  type FineTuningRecord,
} from './fine-tuning-record.js';
import type { FineTuningScenario } from './fine-tuning-scenario.js';
import { isJobEnd, momentOf } from './fine-tuning-timeline.js';
import { planJob, type FineTuningTiming } from './fine-tuning-timing.js';
import { inspectExamples, type ExampleFile, type ExampleRules } from './inspect-examples.js';
import { metricsCsv } from './step-metrics.js';

export interface FineTuningStoreOptions {
  readonly files: FileStore;
  readonly timing: FineTuningTiming;
  readonly seed: number;
}

const MIN_EXAMPLES = 10;

/** All fine-tuning jobs, and the work that a passing of time does on them. */
export class FineTuningStore {
  readonly #options: FineTuningStoreOptions;
  readonly #records = new Map<string, FineTuningRecord>();
  #ids = 0;

  constructor(options: FineTuningStoreOptions) {
    this.#options = options;
  }

  create(order: Omit<FineTuningOrder, 'seed'> & { seed: number | null }, scenario: FineTuningScenario, now: number) {
    const { seed, timing } = this.#options;
    const key = this.#ids++;
    const random = randomFor(seed, 'job', key);
    const record: FineTuningRecord = {
      id: `ftjob-${alphanumericId(24, random)}`,
      order: { ...order, seed: order.seed ?? Math.floor(random() * 2_147_483_647) },
      plan: planJob({ ...timing, ...scenario.timing }, key, seed, now),
      scenario,
      modelId: alphanumericId(8, random),
      cancelledAt: undefined,
      pauses: [],
      pausedItself: false,
      checked: undefined,
      resultFiles: undefined,
      reads: { stale: 0, foreign: 0 },
    };
    this.#records.set(record.id, record);
    return record;
  }

  find(id: string): FineTuningRecord | undefined {
    return this.#records.get(id);
  }

  /** Newest first. */
  list(): FineTuningRecord[] {
    return [...this.#records.values()].toReversed().toSorted((a, b) => b.plan.createdAt - a.plan.createdAt);
  }

  /** Does all the work that is due at `now`. */
  async settle(now: number): Promise<void> {
    for (const record of this.#records.values()) {
      if (record.checked === undefined) await this.#check(record, now);
      pauseItself(record, now);
      const { status, at } = jobStateAt(record, now);
      if (status === 'succeeded' && record.resultFiles === undefined) await this.#conclude(record, at);
    }
  }

  async #check(record: FineTuningRecord, now: number): Promise<void> {
    const at = record.plan.createdAt + record.plan.validatingMs;
    const stuck = record.scenario.stuckIn?.includes('validating_files') ?? false;
    if (at > now || stuck || (record.cancelledAt ?? Infinity) < at) return;
    const { method, model, trainingFile, validationFile } = record.order;
    const rules = { method: method.type, model };
    const training = await this.#inspect(trainingFile, at, {
      ...rules,
      param: 'training_file',
      minExamples: MIN_EXAMPLES,
    });
    const validation =
      validationFile === null
        ? undefined
        : await this.#inspect(validationFile, at, { ...rules, param: 'validation_file', minExamples: 1 });
    record.checked = { training, error: training.error ?? validation?.error } satisfies CheckedFiles;
  }

  async #inspect(fileId: string, at: number, rules: ExampleRules): Promise<ExampleFile> {
    const file = this.#options.files.find(fileId, at);
    if (file !== undefined) return inspectExamples(file.path, rules);
    const error = { code: 'file_not_found', message: `The file ${fileId} could not be found.`, param: rules.param };
    return { examples: 0, tokens: 0, error };
  }

  async #conclude(record: FineTuningRecord, at: number): Promise<void> {
    const { files, seed } = this.#options;
    const training = trainingOf(record);
    const { resultFiles } = record.scenario;
    record.resultFiles = [];
    if (resultFiles === 'none' || training === undefined) return;
    const path = files.newPath();
    const validated = record.order.validationFile !== null;
    await writeFile(path, metricsCsv({ seed, jobId: record.id, steps: training.steps, validated }));
    const stored = await files.add({
      path,
      filename: 'step_metrics.csv',
      purpose: 'fine-tune-results',
      createdAt: at,
    });
    if (typeof resultFiles === 'number') stored.goneStatus = resultFiles;
    record.resultFiles = [stored.id];
  }
}

/** A provider that pauses by itself does it once, at its share of the training. */
function pauseItself(record: FineTuningRecord, now: number): void {
  const { pausesAt } = record.scenario;
  if (pausesAt === undefined || record.pausedItself) return;
  const at = momentOf(jobTimeline(record), record.plan.runningMs * pausesAt);
  if (at === undefined || at > now || isJobEnd(jobStateAt(record, at).status)) return;
  record.pausedItself = true;
  record.pauses.push({ pausedAt: at });
}
