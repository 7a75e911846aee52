/** The metrics of training, step by step, from the CSV files that a fine-tuning job leaves. */
import { parse } from 'csv-parse/sync';
import type { FileRef } from '../contract/file-ref.js';
import { readChecked } from '../storage/checked-file.js';
import type { Storage } from '../storage/storage.js';

export interface StepMetrics {
  /** Names of the metrics, such as `train_loss`, as the provider gave them. */
  readonly names: readonly string[];
  /** By step. A metric that a step does not have is null. */
  readonly steps: readonly { readonly step: number; readonly values: Readonly<Record<string, number | null>> }[];
}

/** A provider's file is some hundred kB. A larger one is not held in memory. */
const MAX_BYTES = 64 * 1_024 * 1_024;
const MAX_METRICS = 20;

/**
 * The metrics of the first file that has any.
 *
 * @returns null if none has
 * @throws FileChangedError if a file was changed or deleted since; StorageError
 */
export async function readStepMetrics(storage: Storage, files: readonly FileRef[]): Promise<StepMetrics | null> {
  for (const file of files) {
    if (file.bytes > MAX_BYTES) continue;
    const chunks: Uint8Array[] = [];
    for await (const chunk of readChecked(storage, file)) chunks.push(chunk);
    const metrics = stepMetricsOf(Buffer.concat(chunks).toString());
    if (metrics) return metrics;
  }
  return null;
}

/** @returns null if the text has no column `step`, or no step */
export function stepMetricsOf(csv: string): StepMetrics | null {
  const rows = parse(csv, {
    bom: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    trim: true,
  });
  const [head = [], ...lines] = rows;
  const names = head.map((name) => name.toLowerCase());
  const stepAt = names.indexOf('step');
  if (stepAt < 0) return null;
  const metrics = names
    .map((name, at) => ({ name, at }))
    .filter(({ name, at }) => at !== stepAt && name !== '' && lines.some((line) => numberOf(line[at]) !== null))
    .slice(0, MAX_METRICS);
  const steps = lines.flatMap((line) => {
    const step = numberOf(line[stepAt]);
    const values = Object.fromEntries(metrics.map(({ name, at }) => [name, numberOf(line[at])]));
    return step === null ? [] : [{ step, values }];
  });
  return steps.length === 0 ? null : { names: metrics.map(({ name }) => name), steps };
}

function numberOf(text: string | undefined): number | null {
  const number = text === undefined || text === '' ? NaN : Number(text);
  return Number.isFinite(number) ? number : null;
}
