/** Any number of requests as many batches: split them, run the parts, retry what is unanswered, merge the results. */
import { continueAsNew, setHandler } from '@temporalio/workflow';
import type { BulkInput } from '../contract/activities/bulk-batch.js';
import {
  bulkBatchSpecSchema,
  type BulkBatchProgress,
  type BulkBatchResult,
  type BulkBatchSpec,
  type ParsedBulkBatchSpec,
} from '../contract/bulk-batch.js';
import { invalidInput } from '../contract/failures.js';
import { parseSpec } from '../contract/parse-spec.js';
import type { BulkPart, PartOutcome, RoundPlan } from '../contract/part.js';
import { toMs } from '../contract/spec-fields.js';
import { failureOfAllParts } from './bulk/part-failure.js';
import { Parts } from './bulk/parts.js';
import { runActivity, transferActivities } from './lifecycle/activity-calls.js';
import { showDetails } from './lifecycle/current-details.js';
import { isHistoryLong } from './lifecycle/history-limit.js';
import { identity } from './lifecycle/identity.js';
import { Persistence } from './lifecycle/persistence.js';
import { RunControl } from './lifecycle/run-control.js';
import { bulkBatchProgressQuery } from './messages.js';

/** What the next run takes over when a long history makes the workflow continue as new, which it does between parts. */
export interface BulkState {
  /** Name of the folder of this bulk batch's files. */
  readonly folder: string;
  /** The round of `pending`, from 1; 0 before the first plan. */
  round: number;
  /** Parts of the round that have not ended. */
  pending: BulkPart[];
  /** Parts of all rounds that have ended. */
  done: PartOutcome[];
  /** The rounds that were planned, without those that have nothing to send. */
  sent: RoundPlan[];
  /** Requests of the input; 0 before the first plan. */
  requests: number;
  warnings: readonly string[];
}

/**
 * Runs any number of requests as batches. Every request is in the result exactly once: in the output, or in the errors
 * with its reason.
 *
 * @param state the library's own, for a run that continues an earlier one
 * @throws a failure with one of the types in `FAILURES`
 */
export async function runBulkBatch(argument: BulkBatchSpec, state?: BulkState): Promise<BulkBatchResult> {
  const run = new RunControl();
  const { spec, report } = parseSpec(bulkBatchSpecSchema, argument);
  if (report) throw invalidInput(report);
  const lifecycle = new BulkBatchLifecycle(argument, spec, run, state);
  return run.runToEnd(spec.deadline, () => lifecycle.execute());
}

class BulkBatchLifecycle {
  /** Continue-as-new passes it on, so that the next run validates the same spec. */
  readonly #argument: BulkBatchSpec;
  readonly #spec: ParsedBulkBatchSpec;
  readonly #run: RunControl;
  readonly #state: BulkState;
  readonly #parts: Parts;
  readonly #persistence: Persistence;
  #partsInRound = 0;

  constructor(argument: BulkBatchSpec, spec: ParsedBulkBatchSpec, run: RunControl, state: BulkState | undefined) {
    this.#argument = argument;
    this.#spec = spec;
    this.#run = run;
    this.#parts = new Parts(spec, run, () => this.#show());
    this.#persistence = new Persistence(run, { giveUpAfterMs: toMs(spec.giveUpAfter) });
    this.#state = state ?? {
      folder: identity().folder,
      round: 0,
      pending: [],
      done: [],
      sent: [],
      requests: 0,
      warnings: [],
    };
    this.#partsInRound = this.#state.pending.length;
    for (const warning of this.#state.warnings) run.warn(warning);
    run.onChange = () => this.#show();
    run.onCancel = () => this.#parts.cancel();
    setHandler(bulkBatchProgressQuery, () => this.#progress(), {
      description: 'Returns the phase, the round, the parts, the line counts, what a part waits for and the warnings.',
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

  /** Splits what is unanswered into the parts of the next round; leaves none pending when nothing is left to try. */
  async #plan(): Promise<void> {
    const { round, done, folder } = this.#state;
    if (round >= this.#spec.maxRounds) return;
    if (round > 0 && this.#haveAllSucceeded()) return;
    this.#run.enter('checking');
    const which = `round ${round + 1} of at most ${this.#spec.maxRounds}`;
    const summary = round === 0 ? `Check the input and plan ${which}` : `Plan ${which}`;
    const plan = () =>
      runActivity(transferActivities.planRound, summary, { ...this.#bulkInput(), folder, round: round + 1, done });
    // Before the first round nothing was paid for, so a refusal ends the run.
    const planned = await this.#run.untilCancelled(() =>
      round === 0 ? plan() : this.#persistence.untilAnswered('plan', plan),
    );
    if (planned.interrupted) return;
    if (planned.value.parts.length > 0) {
      this.#state.round = round + 1;
      this.#state.sent.push(planned.value.plan);
    }
    this.#state.pending = planned.value.parts;
    this.#state.requests = planned.value.requests;
    this.#partsInRound = planned.value.parts.length;
  }

  /**
   * Whether the line counts alone show that nothing is left to try, so that no file must be read. They do not where
   * answers may be rejected for their schema or their length.
   */
  #haveAllSucceeded(): boolean {
    const { schema, retry } = this.#spec;
    const { round, done } = this.#state;
    const parts = done.filter((part) => part.round === round);
    return !schema && !retry.truncated && parts.every(({ requests, lines }) => lines.succeeded === requests);
  }

  /** Runs the round's parts, `maxParallel` at a time. Continues as new when the history is long. */
  async #runParts(): Promise<void> {
    const todo = [...this.#state.pending];
    const runNext = async () => {
      for (let part = todo.shift(); part && !isHistoryLong() && !this.#run.cancellation; part = todo.shift()) {
        const outcome = await this.#parts.run(part, this.#state.round);
        if (outcome) this.#finish(part, outcome);
      }
    };
    await Promise.all(Array.from({ length: Math.min(this.#spec.maxParallel, todo.length) }, runNext));
    if (this.#state.pending.length === 0 || this.#run.cancellation || !isHistoryLong()) return;
    // The deadline is passed on as a moment: a duration would count from the start of the next run.
    const deadline = this.#run.deadlineAt ?? undefined;
    await continueAsNew<typeof runBulkBatch>(
      { ...this.#argument, ...(deadline !== undefined && { deadline }) },
      { ...this.#state, warnings: this.#run.warnings },
    );
  }

  #finish(part: BulkPart, outcome: PartOutcome): void {
    this.#state.pending = this.#state.pending.filter(({ number }) => number !== part.number);
    this.#state.done.push(outcome);
    this.#show();
  }

  /** Merges what the batches returned. If every part failed, the bulk batch fails like the first of them. */
  async #merge(): Promise<BulkBatchResult> {
    this.#run.enter('collecting');
    const { folder, done, sent, round } = this.#state;
    const { order, gzip, prices = null } = this.#spec;
    const summary = `Merge the results of ${done.length} batches (${round} rounds)`;
    const merge = () => {
      const { cancellation, warnings } = this.#run;
      const about = { folder, sent, done, order, gzip, prices, cancellation, warnings };
      return runActivity(transferActivities.mergeBulk, summary, { ...this.#bulkInput(), ...about });
    };
    const result = await (done.length === 0 ? merge() : this.#persistence.untilAnswered('merge', merge));
    const failed = this.#run.cancellation ? null : failureOfAllParts(done, result);
    if (failed) throw failed;
    return result;
  }

  #bulkInput(): Omit<BulkInput, 'folder' | 'done'> {
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
    const { phase, cancellation, attention, warnings } = this.#run;
    const { round, pending, done } = this.#state;
    const lines = { succeeded: 0, failed: 0, unfinished: 0, missing: 0 };
    for (const { lines: counts } of done) {
      lines.succeeded += counts.succeeded;
      lines.failed += counts.failed;
      lines.unfinished += counts.unfinished;
      lines.missing += counts.missing;
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
      attention,
      warnings: [...warnings],
    };
  }

  #show(): void {
    const { parts, lines, round, waitingFor } = this.#progress();
    showDetails(this.#run, {
      title: 'Bulk batch',
      status: round === 0 ? 'not planned yet' : `round ${round} of at most ${this.#spec.maxRounds}`,
      rows: [
        ['Requests', this.#state.requests > 0 ? this.#state.requests : null],
        ['Parts', `${parts.done} done, ${parts.running} running, ${parts.waiting} waiting, of ${parts.total}`],
        ['Lines', `${lines.succeeded} succeeded, ${lines.failed} failed, ${lines.unfinished} unfinished`],
        ['Waiting for', waitingFor],
        ['Provider', this.#spec.provider],
      ],
    });
  }
}
