import { BATCH_FILE_SECONDS, type FileStore } from '../files/file-store.js';
import type { LocalApiLimits } from '../limits.js';
import { hexId, randomFor } from '../random.js';
import { epochSeconds } from '../wire.js';
import {
  answeredBy,
  inspectionDue,
  refusedInspection,
  stateAt,
  timelineOf,
  type BatchOrder,
  type BatchRecord,
} from './batch-record.js';
import type { BatchScenario } from './batch-scenario.js';
import { isEnd, passed } from './batch-timeline.js';
import { planBatch, windowMs, type BatchTiming } from './batch-timing.js';
import { batchError, inspectInput } from './inspect-input.js';
import { finishOrder, writeResults } from './write-results.js';

export interface BatchStoreOptions {
  readonly files: FileStore;
  readonly limits: LocalApiLimits;
  readonly timing: BatchTiming;
  readonly seed: number;
}

/** All batches, and the work that a passing of time does on them: checking inputs and writing results. */
export class BatchStore {
  readonly #options: BatchStoreOptions;
  readonly #records = new Map<string, BatchRecord>();
  #ids = 0;

  constructor(options: BatchStoreOptions) {
    this.#options = options;
  }

  create(order: BatchOrder, scenario: BatchScenario, now: number): BatchRecord {
    const { seed, timing } = this.#options;
    const id = `batch_${hexId(32, randomFor(seed, 'batch', this.#ids++))}`;
    const window = windowMs(order.completionWindow) ?? 24 * 3_600_000;
    const record: BatchRecord = {
      id,
      order,
      plan: planBatch({ ...timing, ...scenario.timing }, String(this.#ids), seed, now, window),
      scenario,
      cancelledAt: undefined,
      inspection: undefined,
      failedAmongFirst: undefined,
      results: undefined,
      reads: { stale: 0, foreign: 0 },
    };
    this.#records.set(id, record);
    return record;
  }

  find(id: string): BatchRecord | undefined {
    return this.#records.get(id);
  }

  /** Newest first. */
  list(): BatchRecord[] {
    return [...this.#records.values()].toReversed().toSorted((a, b) => b.plan.createdAt - a.plan.createdAt);
  }

  createdSince(time: number): number {
    return [...this.#records.values()].filter((record) => record.plan.createdAt > time).length;
  }

  /** Does all the work that is due at `now`, in the order of its moments, as if it had been done in time. */
  async settle(now: number): Promise<void> {
    const due = [...this.#records.values()]
      .filter((record) => record.inspection === undefined)
      .map((record) => ({ record, at: inspectionDue(record) ?? Infinity }))
      .filter(({ at }) => at <= now)
      .toSorted((a, b) => a.at - b.at);
    for (const { record, at } of due) await this.#inspect(record, at);
    for (const record of this.#records.values()) {
      const state = stateAt(record, now);
      if (record.results === undefined && isEnd(state.status)) await this.#conclude(record, state.at);
    }
  }

  async #inspect(record: BatchRecord, at: number): Promise<void> {
    const { files, limits, seed } = this.#options;
    const { order, scenario } = record;
    const file = files.find(order.inputFileId, at);
    if (file === undefined) {
      const message = `Cannot find file ${order.inputFileId}, or organization org-local does not have access to it.`;
      record.inspection = refusedInspection('invalid_request', message, 'input_file_id');
      return;
    }
    const inspection = await inspectInput(file.path, {
      endpoint: order.endpoint,
      maxRequests: limits.batchRequests,
      maxEmbeddingInputs: limits.embeddingInputs,
      knowsModel: limits.knowsModel,
      lineFault: scenario.lines,
    });
    const quota = inspection.model === null ? Infinity : enqueuedLimit(limits, inspection.model);
    if (
      inspection.errors.length === 0 &&
      this.#enqueuedTokens(inspection.model, at) + inspection.promptTokens > quota
    ) {
      const message = `Enqueued token limit reached for ${inspection.model} in organization org-local. Limit: ${quota.toLocaleString('en-US')} enqueued tokens. Please try again once some in_progress batches have been completed.`;
      inspection.errors.push(batchError('token_limit_exceeded', message));
    }
    record.inspection = inspection;
    record.failedAmongFirst = runningTotals(inspection.fails, finishOrder(seed, record.id, inspection.total));
  }

  /** Prompt tokens of the batches of a model that are neither refused nor over at `at`. */
  #enqueuedTokens(model: string | null, at: number): number {
    let tokens = 0;
    for (const record of this.#records.values()) {
      if (record.inspection?.model === model && !isEnd(stateAt(record, at).status)) {
        tokens += record.inspection.promptTokens;
      }
    }
    return tokens;
  }

  async #conclude(record: BatchRecord, at: number): Promise<void> {
    const { files, seed } = this.#options;
    const { inspection, order, scenario } = record;
    const file = inspection === undefined ? undefined : files.pathOf(order.inputFileId);
    const statuses = passed(timelineOf(record), at).map(({ status }) => status);
    const end = statuses.at(-1)!;
    const none = { usage: { input: 0, output: 0 }, outputPath: undefined, errorPath: undefined };
    if (inspection === undefined || file === undefined || end === 'failed' || !statuses.includes('in_progress')) {
      record.results = { ...none, outputFileId: undefined, errorFileId: undefined };
      return;
    }
    const results = await writeResults({
      batchId: record.id,
      seed,
      endpoint: order.endpoint,
      inputPath: file,
      inspection,
      answered: answeredBy(record, at),
      unfinishedCode: end === 'expired' ? 'batch_expired' : 'batch_cancelled',
      scenario,
      createdAt: epochSeconds(at),
      newPath: () => files.newPath(),
    });
    const add = async (path: string | undefined, kind: string): Promise<string | undefined> => {
      if (path === undefined) return undefined;
      const stored = await files.add({
        path,
        filename: `${record.id}_${kind}.jsonl`,
        purpose: 'batch_output',
        createdAt: at,
        expiresAfter: order.outputExpiresAfter ?? BATCH_FILE_SECONDS,
      });
      if (scenario.outputGone !== undefined) stored.goneStatus = scenario.outputGone;
      return stored.id;
    };
    record.results = {
      ...results,
      outputFileId: await add(results.outputPath, 'output'),
      errorFileId: await add(results.errorPath, 'error'),
    };
  }
}

function enqueuedLimit(limits: LocalApiLimits, model: string): number {
  const { enqueuedTokens } = limits;
  return typeof enqueuedTokens === 'number' ? enqueuedTokens : (enqueuedTokens[model] ?? Infinity);
}

/** How many of the first n requests in `order` fail, for n = 0 … total. */
function runningTotals(fails: Uint8Array, order: Uint32Array): Uint32Array {
  const totals = new Uint32Array(order.length + 1);
  for (const [n, index] of order.entries()) totals[n + 1] = totals[n]! + fails[index]!;
  return totals;
}
