/** Any number of requests as many batches: split, run the parts, try again what is left, merge. */
import { ApplicationFailure, continueAsNew, patched, setHandler, workflowInfo } from '@temporalio/workflow';
import type { BulkPart, PartOutcome } from '../contract/part.js';
import {
  bulkBatchSpecSchema,
  type BulkBatchProgress,
  type BulkBatchResult,
  type BulkBatchSpec,
  type ParsedBulkBatchSpec,
} from '../contract/bulk-batch.js';
import { FAILURES, invalidInput } from '../contract/failures.js';
import { parseSpec } from '../contract/parse-spec.js';
import { runActivity, transferActivities } from './lifecycle/activity-calls.js';
import { Parts } from './bulk/parts.js';
import { showDetails } from './lifecycle/current-details.js';
import { identity } from './lifecycle/identity.js';
import { bulkBatchProgressQuery } from './messages.js';
import { RunControl } from './lifecycle/run-control.js';

/** What goes over into the next run when the history grows large: between parts, never in the middle of one. */
export interface BulkState {
  /** Folder of this bulk's files. */
  readonly folder: string;
  round: number;
  /** Parts of the round that are not done. */
  pending: BulkPart[];
  /** Parts that are done, of all rounds. */
  done: PartOutcome[];
  requests: number;
  warnings: readonly string[];
}

/**
 * Runs any number of requests and ends with one result: every request answered exactly once, or in the errors file with its reason.
 *
 * @param state the library's own, for a run that goes on as a new one
 */
export async function runBulkBatch(argument: BulkBatchSpec, state?: BulkState): Promise<BulkBatchResult> {
  const run = new RunControl();
  const { spec, report } = parseSpec(bulkBatchSpecSchema, argument);
  if (report) throw invalidInput(report);
  const bulk = new BulkBatchLifecycle(argument, spec, run, state);
  return run.runToEnd(spec.deadline, () => bulk.execute());
}

class BulkBatchLifecycle {
  readonly #argument: BulkBatchSpec;
  readonly #spec: ParsedBulkBatchSpec;
  readonly #run: RunControl;
  readonly #me = identity();
  readonly #state: BulkState;
  readonly #parts: Parts;
  #partsInRound = 0;

  constructor(argument: BulkBatchSpec, spec: ParsedBulkBatchSpec, run: RunControl, state: BulkState | undefined) {
    this.#argument = argument;
    this.#spec = spec;
    this.#run = run;
    this.#parts = new Parts(spec, run, () => this.#show());
    this.#state = state ?? { folder: this.#me.folder, round: 0, pending: [], done: [], requests: 0, warnings: [] };
    this.#partsInRound = this.#state.pending.length;
    for (const warning of this.#state.warnings) run.warn(warning);
    run.onChange = () => this.#show();
    run.onCancel = () => this.#parts.cancel();
    setHandler(bulkBatchProgressQuery, () => this.#progress(), {
      description: 'How the bulk stands: round, parts, lines, what it waits for.',
    });
    this.#show();
  }

  async execute(): Promise<BulkBatchResult> {
    while (!this.#run.cancellation) {
      if (this.#state.pending.length === 0) await this.#plan();
      if (this.#state.pending.length === 0) break;
      this.#run.enter('waiting');
      await this.#runParts();
    }
    return this.#merge();
  }

  /** Splits what is not answered yet into the parts of a further round; none when nothing is left to try. */
  async #plan(): Promise<void> {
    const { round, done, folder } = this.#state;
    if (round >= this.#spec.maxRounds) return;
    if (round > 0 && patched('no-plan-when-all-succeeded') && this.#haveAllSucceeded()) return;
    this.#run.enter('checking');
    const which = `round ${round + 1} of at most ${this.#spec.maxRounds}`;
    const planned = await this.#run.untilCancelled(() =>
      runActivity(
        transferActivities.planRound,
        round === 0 ? `check and split: ${which}` : `what is left for ${which}`,
        {
          ...this.#bulkInput(),
          folder,
          round: round + 1,
          done,
        },
      ),
    );
    if (planned.interrupted) return;
    this.#state.round = planned.value.parts.length > 0 ? round + 1 : round;
    this.#state.pending = planned.value.parts;
    this.#state.requests = planned.value.requests;
    this.#partsInRound = planned.value.parts.length;
  }

  /** Then nothing is left to try, and no file need be read to know it; whether an answer is accepted shows in its line alone. */
  #haveAllSucceeded(): boolean {
    const { schema, retry } = this.#spec;
    const { round, done } = this.#state;
    const parts = done.filter((part) => part.round === round);
    return !schema && !retry.truncated && parts.every(({ requests: count, lines }) => lines.succeeded === count);
  }

  /** Runs the round's parts, `maxParallel` at a time; goes on as a new run where the history is long enough. */
  async #runParts(): Promise<void> {
    const todo = [...this.#state.pending];
    const lane = async () => {
      for (let part = todo.shift(); part && !this.#isFull() && !this.#run.cancellation; part = todo.shift()) {
        const outcome = await this.#parts.run(part, this.#state.round);
        if (outcome) this.#finish(part, outcome);
      }
    };
    await Promise.all(Array.from({ length: Math.min(this.#spec.maxParallel, todo.length) }, lane));
    if (this.#state.pending.length === 0 || this.#run.cancellation || !this.#isFull()) return;
    // A duration counts from the start of the first run.
    const deadline = this.#run.deadlineAt ?? undefined;
    await continueAsNew<typeof runBulkBatch>(
      { ...this.#argument, ...(deadline !== undefined && { deadline }) },
      { ...this.#state, warnings: this.#run.warnings },
    );
  }

  #isFull(): boolean {
    return workflowInfo().continueAsNewSuggested || workflowInfo().historyLength > MAX_HISTORY;
  }

  #finish(part: BulkPart, outcome: PartOutcome): void {
    this.#state.pending = this.#state.pending.filter(({ number }) => number !== part.number);
    this.#state.done.push(outcome);
    this.#show();
  }

  /** Where no batch brought anything, since each of them was refused or failed, that is how the bulk ends too. */
  async #merge(): Promise<BulkBatchResult> {
    const result = await this.#mergeAll();
    const { done } = this.#state;
    if (result.output !== null || result.status === 'cancelled' || done.some(({ failure }) => failure === null)) {
      return result;
    }
    // Runs that somebody ended have no type of failure, and no words of the provider.
    const first = done.map(({ failure }) => failure).find((failure) => failure && failure.type in FAILURES);
    if (!first) return result;
    throw ApplicationFailure.create({
      type: first.type,
      message: `No batch has a result: ${first.message}`,
      nonRetryable: true,
      details: [{ result }],
    });
  }

  async #mergeAll(): Promise<BulkBatchResult> {
    this.#run.enter('collecting');
    const { folder, done, round } = this.#state;
    const { cancellation, warnings } = this.#run;
    const { order, gzip, prices } = this.#spec;
    return runActivity(transferActivities.mergeBulk, `merge ${done.length} batches of ${round} rounds`, {
      ...this.#bulkInput(),
      folder,
      round,
      done,
      order,
      gzip,
      prices: prices ?? null,
      cancellation,
      warnings,
    });
  }

  #bulkInput() {
    const { input, endpoint, missingCustomIds, provider, split, retry, schema, outputUri, enqueuedTokens } = this.#spec;
    return {
      provider,
      input,
      endpoint: endpoint ?? null,
      missingCustomIds,
      outputUri: outputUri ?? null,
      split: split ?? {},
      retry,
      schema: schema ?? null,
      enqueuedTokens: enqueuedTokens ?? null,
    };
  }

  #progress(): BulkBatchProgress {
    const { phase, cancellation, warnings } = this.#run;
    const { round, pending, done } = this.#state;
    const lines = { succeeded: 0, failed: 0, unfinished: 0, missing: 0 };
    for (const outcome of done) {
      for (const key of Object.keys(lines) as (keyof typeof lines)[]) lines[key] += outcome.lines[key];
    }
    const { running } = this.#parts;
    return {
      phase,
      status: `round ${round}`,
      jobId: null,
      lastCheckedAt: null,
      round,
      parts: {
        total: this.#partsInRound,
        waiting: Math.max(0, pending.length - running),
        running,
        done: Math.max(0, this.#partsInRound - pending.length),
      },
      lines,
      waitingFor: this.#parts.waitingFor,
      cancelRequested: cancellation !== null,
      cancellation,
      warnings: [...warnings],
    };
  }

  #show(): void {
    const { parts, lines, round, waitingFor } = this.#progress();
    showDetails(this.#run, {
      title: 'Bulk batch',
      status: round === 0 ? 'not split yet' : `round ${round} of at most ${this.#spec.maxRounds}`,
      rows: [
        ['Requests', this.#state.requests > 0 ? this.#state.requests : null],
        ['Parts', `${parts.done} done, ${parts.running} running, ${parts.waiting} waiting of ${parts.total}`],
        ['Lines', `${lines.succeeded} succeeded, ${lines.failed} failed, ${lines.unfinished} unfinished`],
        ['Waits for', waitingFor],
        ['Provider', this.#spec.provider],
      ],
    });
  }
}

/** Far below the server's limit of 51,200 events, so that a history is quick to load. */
const MAX_HISTORY = 8_000;
