import type { FileStore } from '../files/file-store.js';
import type { LocalApiLimits } from '../limits.js';
import { hexId, randomFor } from '../random.js';
import { RecordStore } from '../record-store.js';
import { epochSeconds } from '../wire.js';
import {
  answeredRequests,
  batchStateAt,
  batchTransitions,
  inspectionDue,
  type BatchParams,
  type BatchRecord,
  type BatchResults,
} from './batch-record.js';
import type { BatchScenario } from './batch-scenario.js';
import { isBatchEnd } from './batch-timeline.js';
import { planBatch, windowMs, type BatchTiming } from './batch-timing.js';
import { batchError, inspectInput, unreadableInput, type Inspection } from './inspect-input.js';
import { completionOrder, writeResults } from './write-results.js';

interface BatchStoreOptions {
  readonly files: FileStore;
  readonly limits: LocalApiLimits;
  readonly timing: BatchTiming;
  readonly seed: number;
}

const DAY_MS = 24 * 3_600_000;

/** All batches, and the work that becomes due as time passes: checking inputs and writing results. */
export class BatchStore extends RecordStore<BatchRecord, BatchStoreOptions> {
  create(params: BatchParams, scenario: BatchScenario, now: number): BatchRecord {
    const { seed } = this.options;
    const number = this.nextNumber();
    const timing = { ...this.options.timing, ...scenario.timing };
    const expiresAt = now + (timing.expiresAfterMs ?? windowMs(params.completionWindow) ?? DAY_MS);
    return this.insert({
      id: `batch_${hexId(32, randomFor(seed, 'batch', number))}`,
      createdAt: now,
      params,
      plan: planBatch(timing, randomFor(seed, 'plan', number), expiresAt),
      scenario,
      reads: { stale: 0, foreign: 0 },
      cancelledAt: null,
      inspection: null,
      failedAmongFirst: null,
      results: null,
    });
  }

  /** How many batches were created after `time`. */
  createdSince(time: number): number {
    return this.all().filter(({ createdAt }) => createdAt > time).length;
  }

  /** Does all the work that is due at `now`, in the order of its due times, with the results of having done it then. */
  async advance(now: number): Promise<void> {
    const due = this.all()
      .filter(({ inspection }) => inspection === null)
      .map((record) => ({ record, at: inspectionDue(record) ?? Infinity }))
      .filter(({ at }) => at <= now)
      .toSorted((a, b) => a.at - b.at);
    for (const { record, at } of due) await this.#inspect(record, at);
    for (const record of this.all()) {
      const { status, at } = batchStateAt(record, now);
      if (record.results === null && isBatchEnd(status)) record.results = await this.#writeResults(record, at);
    }
  }

  async #inspect(record: BatchRecord, at: number): Promise<void> {
    const { files, limits, seed } = this.options;
    const { inputFileId, endpoint } = record.params;
    const file = files.findAvailable(inputFileId, at);
    if (file === undefined) {
      const message = `Cannot find file ${inputFileId}, or organization org-local does not have access to it.`;
      record.inspection = unreadableInput('invalid_request', message, 'input_file_id');
      return;
    }
    const inspection = await inspectInput(file.path, {
      endpoint,
      maxRequests: limits.batchRequests,
      maxEmbeddingInputs: limits.embeddingInputs,
      knowsModel: limits.knowsModel,
      lineFault: record.scenario.lines,
    });
    record.inspection = this.#checkEnqueuedTokens(inspection, at);
    record.failedAmongFirst = runningTotals(inspection.fails, completionOrder(seed, record.id, inspection.total));
  }

  #checkEnqueuedTokens(inspection: Inspection, at: number): Inspection {
    const { model, promptTokens, errors } = inspection;
    if (model === null || errors.length > 0) return inspection;
    const limit = enqueuedTokenLimit(this.options.limits, model);
    if (this.#enqueuedTokens(model, at) + promptTokens <= limit) return inspection;
    const message = `Enqueued token limit reached for ${model} in organization org-local. Limit: ${limit.toLocaleString('en-US')} enqueued tokens. Please try again once some in_progress batches have been completed.`;
    return { ...inspection, errors: [batchError('token_limit_exceeded', message)] };
  }

  /** Prompt tokens of the batches of a model that are accepted and have not ended at `at`. */
  #enqueuedTokens(model: string, at: number): number {
    return this.all()
      .filter((record) => record.inspection?.model === model && !isBatchEnd(batchStateAt(record, at).status))
      .reduce((sum, { inspection }) => sum + (inspection?.promptTokens ?? 0), 0);
  }

  async #writeResults(record: BatchRecord, at: number): Promise<BatchResults> {
    const { files, seed } = this.options;
    const { inspection, params, scenario } = record;
    const input = files.find(params.inputFileId);
    const statuses = batchTransitions(record, at).map(({ status }) => status);
    const end = statuses.at(-1);
    if (inspection === null || input === undefined || end === 'failed' || !statuses.includes('in_progress')) {
      return { usage: { input: 0, output: 0 }, outputFileId: null, errorFileId: null };
    }
    const { usage, outputPath, errorPath } = await writeResults({
      batchId: record.id,
      seed,
      endpoint: params.endpoint,
      inputPath: input.path,
      inspection,
      answered: answeredRequests(record, at),
      unfinishedCode: end === 'expired' ? 'batch_expired' : 'batch_cancelled',
      scenario,
      createdAt: epochSeconds(at),
      newPath: () => files.newPath(),
    });
    return {
      usage,
      outputFileId: await this.#addResultFile(record, 'output', outputPath, at),
      errorFileId: await this.#addResultFile(record, 'error', errorPath, at),
    };
  }

  async #addResultFile(
    { id, params, scenario }: BatchRecord,
    kind: 'output' | 'error',
    path: string | null,
    at: number,
  ): Promise<string | null> {
    if (path === null) return null;
    const file = await this.options.files.add({
      path,
      filename: `${id}_${kind}.jsonl`,
      purpose: 'batch_output',
      createdAt: at,
      expiresAfter: params.outputExpiresAfter,
      goneStatus: scenario.outputGone,
    });
    return file.id;
  }
}

function enqueuedTokenLimit({ enqueuedTokens }: LocalApiLimits, model: string): number {
  return typeof enqueuedTokens === 'number' ? enqueuedTokens : (enqueuedTokens[model] ?? Infinity);
}

/** How many of the first n requests in `order` fail, for n = 0 … total. */
function runningTotals(fails: Uint8Array, order: Uint32Array): Uint32Array {
  const totals = new Uint32Array(order.length + 1);
  for (const [n, index] of order.entries()) totals[n + 1] = totals[n]! + fails[index]!;
  return totals;
}
