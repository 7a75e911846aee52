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
import { hasOnlyStrangers, type BulkPart, type PartOutcome } from '../contract/part.js';
import { CreditRounds } from './bulk/credit-rounds.js';
import { Division } from './bulk/division.js';
import { toMs } from '../contract/spec-fields.js';
import { failureOfAllParts } from './bulk/part-failure.js';
import { PartWarnings } from './bulk/part-warnings.js';
import { Parts, type PartEnd } from './bulk/parts.js';
import { newState, type BulkState } from './bulk/state.js';
import { describeAnomalies, describeSent, Tally } from './bulk/tally.js';
import { runActivity, transferActivities } from './lifecycle/activity-calls.js';
import { showDetails } from './lifecycle/current-details.js';
import { isHistoryLong } from './lifecycle/history-limit.js';
import { ownOrigin } from './lifecycle/identity.js';
import { Persistence } from './lifecycle/persistence.js';
import { RunControl } from './lifecycle/run-control.js';
import { bulkBatchProgressQuery } from './messages.js';

/** Kinds of `retry` that concern requests whose line counts as succeeded. */
const SUCCEEDED_KINDS: ReadonlySet<string> = new Set(['truncated', 'refused', 'filtered', 'noText']);

/** The warnings of so many parts are kept with their outcomes; all outcomes travel in one payload. */
const PARTS_WITH_WARNINGS = 200;

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
  readonly #creditRounds: CreditRounds;
  readonly #division: Division;
  readonly #partWarnings: PartWarnings;
  readonly #tally: Tally;
  readonly #persistence: Persistence;
  #partsInRound = 0;

  constructor(argument: BulkBatchSpec, spec: ParsedBulkBatchSpec, run: RunControl, state: BulkState | undefined) {
    this.#argument = argument;
    this.#spec = spec;
    this.#run = run;
    const origin = ownOrigin(state?.origin);
    this.#state = { ...(state ?? newState()), origin };
    const onChange = () => this.#show();
    this.#parts = new Parts(spec, run, { origin, refused: this.#state.refused, onChange });
    this.#creditRounds = new CreditRounds(spec, run, { state: this.#state, onChange });
    this.#division = new Division(spec, this.#state);
    this.#partWarnings = new PartWarnings(this.#state.partWarnings, this.#state.droppedWarnings);
    this.#tally = new Tally(this.#state.sent, this.#state.done);
    this.#persistence = new Persistence(run, { giveUpAfterMs: toMs(spec.giveUpAfter) });
    this.#partsInRound = this.#state.pending.length;
    for (const warning of this.#state.warnings) run.warn(warning);
    run.onChange = onChange;
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
    if (this.#state.isLastRound || (round > 0 && this.#haveAllSucceeded())) return;
    const only = this.#creditRounds.areOthersUsedUp ? ('noCredit' as const) : null;
    if (only !== null && !this.#creditRounds.mayBeWanted) return;
    this.#run.enter('checking');
    const which = `round ${round + 1}${only === null ? ` of at most ${this.#spec.maxRounds}` : ', for want of credit'}`;
    const summary = round === 0 ? `Check the input and plan ${which}` : `Plan ${which}`;
    const input = { ...this.#bulkInput(), folder, round: round + 1, only, done };
    const planRound = () => runActivity(transferActivities.planRound, summary, input);
    // Before the first round nothing was paid for, so a refusal ends the run.
    const planned = await this.#run.untilCancelled(() =>
      round === 0 ? planRound() : this.#persistence.untilAnswered('plan', planRound),
    );
    if (planned.interrupted) return;
    const { parts, requests, inputFiles, plan } = planned.value;
    this.#state.inputFiles = inputFiles;
    this.#state.requests = requests > 0 ? requests : this.#state.requests;
    if (parts.length === 0) return;
    this.#run.enter('waiting');
    if (!(await this.#creditRounds.maySend(plan, parts.length))) return;
    this.#state.round = round + 1;
    this.#state.sent.push(plan);
    this.#tally.send(plan);
    this.#state.pending = parts;
    this.#partsInRound = parts.length;
  }

  /**
   * Whether the line counts alone show that nothing is left to try, so that no file must be read. They do not where
   * answers may be sent again.
   */
  #haveAllSucceeded(): boolean {
    const { schema, retry } = this.#spec;
    const { round, done } = this.#state;
    const parts = done.filter((part) => part.round === round);
    const mayBeSentAgain = Object.entries(retry).some(([kind, isOn]) => SUCCEEDED_KINDS.has(kind) && isOn);
    return !schema && !mayBeSentAgain && parts.every(({ requests, lines }) => lines.succeeded === requests);
  }

  /** Runs the round's parts, `maxParallel` at a time. Continues as new when the history is long. */
  async #runParts(): Promise<void> {
    const todo = [...this.#state.pending];
    const runNext = async () => {
      for (let part = todo.shift(); part && !isHistoryLong() && !this.#run.cancellation; part = todo.shift()) {
        const ended = await this.#parts.run(part, this.#state.round);
        if (ended.kind === 'done') this.#finish(part, ended.outcome);
        else if (ended.kind === 'divide') todo.unshift(...(await this.#divide(part, ended)));
      }
    };
    await Promise.all(Array.from({ length: Math.min(this.#spec.maxParallel, todo.length) }, runNext));
    if (this.#state.pending.length === 0 || this.#run.cancellation || !isHistoryLong()) return;
    // The deadline is passed on as a moment: a duration would count from the start of the next run.
    const deadline = this.#run.deadlineAt ?? undefined;
    await continueAsNew<typeof runBulkBatch>(
      { ...this.#argument, ...(deadline !== undefined && { deadline }) },
      { ...this.#state, warnings: this.#run.warnings, ...this.#keptWarnings() },
    );
  }

  /** Replaces a part that is larger than the provider's limit by smaller ones, and returns these. */
  async #divide(part: BulkPart, { tokens, failed }: Extract<PartEnd, { kind: 'divide' }>): Promise<BulkPart[]> {
    const smaller = await this.#division.divide(part, tokens);
    const limit = `${tokens.toLocaleString('en-US')} tokens`;
    if (smaller.length === 0) {
      this.#finish(part, this.#parts.giveUp(failed, `parts of at most ${limit} would be too many for a bulk batch`));
      return [];
    }
    const which = `Part ${part.number} of round ${this.#state.round}`;
    const first = smaller[0]!.number;
    this.#run.warn(
      `${which} has an estimated ${part.estimatedTokens.toLocaleString('en-US')} tokens and was refused: it continues as ` +
        `parts ${first} to ${first + smaller.length - 1} of at most ${limit}`,
    );
    this.#partsInRound += smaller.length - 1;
    this.#show();
    return smaller;
  }

  #finish(part: BulkPart, outcome: PartOutcome): void {
    const { done, pending } = this.#state;
    this.#state.pending = pending.filter(({ number }) => number !== part.number);
    done.push(done.length < PARTS_WITH_WARNINGS ? outcome : { ...outcome, warnings: [] });
    this.#partWarnings.add(outcome);
    this.#tally.add(outcome);
    if (hasOnlyStrangers(outcome)) this.#stopFor(outcome);
    this.#show();
  }

  /** Answers that belong to no request would be bought again in every round. */
  #stopFor({ batchId, part, round }: PartOutcome): void {
    this.#state.isLastRound = true;
    this.#run.warn(
      `All answers of ${batchId ?? 'the batch'} (part ${part} of round ${round}) are under custom_ids that are not in ` +
        'the input. Nothing is sent again: the requests end as they are, and the answers are in the folder of the batch.',
    );
  }

  #keptWarnings(): Pick<BulkState, 'partWarnings' | 'droppedWarnings'> {
    return { partWarnings: this.#partWarnings.kept, droppedWarnings: this.#partWarnings.dropped };
  }

  /** Merges what the batches returned. If every part failed, the bulk batch fails like the first of them. */
  async #merge(): Promise<BulkBatchResult> {
    this.#run.enter('collecting');
    const { folder, done, sent, round } = this.#state;
    const { order, gzip, prices = null } = this.#spec;
    const summary = `Merge the results of ${done.length} batches (${round} rounds)`;
    const merge = () => {
      const { cancellation } = this.#run;
      const { anomalies } = this.#tally;
      const about = { folder, sent, done, anomalies, order, gzip, prices, cancellation, warnings: this.#warnings };
      return runActivity(transferActivities.mergeBulk, summary, { ...this.#bulkInput(), ...about });
    };
    const result = await (done.length === 0 ? merge() : this.#persistence.untilAnswered('merge', merge));
    const failed = this.#run.cancellation ? null : failureOfAllParts(done, result);
    if (failed) throw failed;
    return result;
  }

  #bulkInput(): Omit<BulkInput, 'folder' | 'done'> {
    const { input, endpoint, missingCustomIds, provider, split, retry, schema, structuredOutput } = this.#spec;
    const { outputUri, enqueuedTokens } = this.#spec;
    return {
      provider,
      input,
      inputFiles: this.#state.inputFiles,
      endpoint: endpoint ?? null,
      missingCustomIds,
      outputUri: outputUri ?? null,
      split: split ?? {},
      retry,
      schema: schema ?? null,
      structuredOutput,
      enqueuedTokens: enqueuedTokens ?? null,
      tokenLimits: this.#state.tokenLimits,
    };
  }

  /** Those of the run, and those of its parts. */
  get #warnings(): string[] {
    return [...this.#run.warnings, ...this.#partWarnings.texts];
  }

  #progress(): BulkBatchProgress {
    const { phase, cancellation, attention } = this.#run;
    const { round, pending, sent } = this.#state;
    const { lines, anomalies } = this.#tally;
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
      lines: { ...lines },
      sent: [...sent],
      anomalies: { ...anomalies },
      waitingFor: this.#creditRounds.waitingFor ?? this.#parts.waitingFor,
      cancelRequested: cancellation !== null,
      cancellation,
      attention,
      warnings: this.#warnings,
    };
  }

  #statusOf(round: number): string {
    if (round === 0) return 'not planned yet';
    const { maxRounds } = this.#spec;
    // Rounds for want of credit are not limited.
    return round <= maxRounds ? `round ${round} of at most ${maxRounds}` : `round ${round}`;
  }

  #show(): void {
    const { phase, cancellation, attention, warnings, parts, lines, anomalies, round, sent, waitingFor } =
      this.#progress();
    showDetails(
      { phase, cancellation, attention, warnings },
      {
        title: 'Bulk batch',
        status: this.#statusOf(round),
        rows: [
          ['Requests', this.#state.requests > 0 ? this.#state.requests : null],
          ['Parts', `${parts.done} done, ${parts.running} running, ${parts.waiting} waiting, of ${parts.total}`],
          ['Lines', `${lines.succeeded} succeeded, ${lines.failed} failed, ${lines.unfinished} unfinished`],
          ['Sent', describeSent(sent)],
          ['Anomalies', describeAnomalies(anomalies)],
          ['Waiting for', waitingFor],
          ['Provider', this.#spec.provider],
        ],
      },
    );
  }
}
