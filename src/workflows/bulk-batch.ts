/** Any number of requests as many batches: split them, run the parts, retry what is unanswered, merge the results. */
import { continueAsNew, setHandler, workflowInfo } from '@temporalio/workflow';
import type { BulkFolder, BulkInput } from '../contract/activities/bulk-batch.js';
import type { BulkBatchProgress, BulkBatchResult, BulkBatchSpec, ParsedBulkBatchSpec } from '../contract/bulk-batch.js';
import { toMs } from '../contract/duration.js';
import type { AnsweredSoFar } from '../contract/progress.js';
import { parseBulkBatchSpec } from '../contract/spec-parsers.js';
import { CreditRounds } from './bulk/credit-rounds.js';
import { Outcomes } from './bulk/outcomes.js';
import { partRunIdOf } from './bulk/part-run-id.js';
import { PartRuns } from './bulk/part-runs.js';
import { PartWarnings } from './bulk/part-warnings.js';
import { handlePausing } from './bulk/pausing.js';
import { Round } from './bulk/round.js';
import { newState, type BulkState } from './bulk/state.js';
import { bulkPage } from './details/bulk-page.js';
import { promptActivities, runActivity, transferActivities } from './lifecycle/activity-calls.js';
import { showDetails } from './lifecycle/current-details.js';
import { ownOrigin } from './lifecycle/identity.js';
import { JobAttributes } from './lifecycle/job-attributes.js';
import { answerLooks } from './lifecycle/look.js';
import { Persistence } from './lifecycle/persistence.js';
import { refusedSpec } from './lifecycle/refused-spec.js';
import { RunControl } from './lifecycle/run-control.js';
import { now } from './lifecycle/time.js';
import { bulkBatchProgressQuery } from './messages.js';

/** Kinds of `retry` that concern requests whose line counts as succeeded. */
const SUCCEEDED_KINDS: ReadonlySet<string> = new Set(['truncated', 'refused', 'filtered', 'noText']);

/**
 * Runs any number of requests as batches. Every request is in the result exactly once: in the output, or in the errors
 * with its reason.
 *
 * @param state the library's own, for a run that continues an earlier one
 * @throws a failure with one of the types in `FAILURES`
 */
export async function runBulkBatch(argument: BulkBatchSpec, state?: BulkState): Promise<BulkBatchResult> {
  const run = new RunControl();
  const { spec, report } = parseBulkBatchSpec(argument);
  if (report) throw refusedSpec(run, 'Bulk batch', report);
  const lifecycle = new BulkBatchLifecycle(argument, spec, run, state);
  return run.runToEnd(spec.deadline, () => lifecycle.execute());
}

class BulkBatchLifecycle {
  /** Continue-as-new passes it on, so that the next run validates the same spec. */
  readonly #argument: BulkBatchSpec;
  readonly #spec: ParsedBulkBatchSpec;
  readonly #run: RunControl;
  readonly #state: BulkState;
  readonly #runs: PartRuns;
  readonly #round: Round;
  readonly #outcomes: Outcomes;
  readonly #creditRounds: CreditRounds;
  readonly #partWarnings: PartWarnings;
  readonly #persistence: Persistence;
  readonly #attributes: JobAttributes;
  #underWay: AnsweredSoFar | null = null;
  /** Null before the end. */
  #result: BulkBatchResult | null = null;

  constructor(argument: BulkBatchSpec, spec: ParsedBulkBatchSpec, run: RunControl, before: BulkState | undefined) {
    this.#argument = argument;
    this.#spec = spec;
    this.#run = run;
    this.#attributes = new JobAttributes(spec.provider);
    const state = { ...(before ?? newState()), origin: ownOrigin(before?.origin) };
    // Signals that came before a run continued as new are handled while the next one is still being made.
    let isMade = false;
    const onChange = () => isMade && this.#show();
    this.#state = state;
    this.#persistence = new Persistence(run, { giveUpAfterMs: toMs(spec.giveUpAfter) });
    this.#outcomes = new Outcomes(state.outcomes, this.#folder, this.#persistence);
    this.#runs = new PartRuns(run, state, spec.provider, onChange);
    this.#partWarnings = new PartWarnings(state.partWarnings, state.droppedWarnings);
    this.#creditRounds = new CreditRounds(spec, run, { state, onChange });
    this.#round = new Round({
      spec,
      run,
      state,
      folder: this.#folder,
      runs: this.#runs,
      outcomes: this.#outcomes,
      persistence: this.#persistence,
      onEnd: (outcome) => this.#partWarnings.add(outcome),
      onChange,
    });
    handlePausing(run, state, this.#runs);
    const look = () => this.#lookAtParts();
    answerLooks(run, look, () => this.#progress());
    for (const warning of state.warnings) run.warn(warning);
    run.onChange = onChange;
    run.onCancel = () => this.#runs.cancel();
    setHandler(bulkBatchProgressQuery, () => this.#progress(), {
      description: 'Returns the phase, the round, the parts, the line counts, what a part waits for and the warnings.',
    });
    isMade = true;
    this.#show();
  }

  async execute(): Promise<BulkBatchResult> {
    return this.#attributes.untilEnd(() => this.#fromInputToResult());
  }

  async #fromInputToResult(): Promise<BulkBatchResult> {
    while (!this.#run.cancellation) {
      if (!this.#hasParts) await this.#plan();
      if (!this.#hasParts) break;
      this.#run.enter('waiting');
      this.#attributes.created();
      await this.#runs.cancelledOnFailure(() => this.#round.run());
      if (this.#hasParts && !this.#run.cancellation) await this.#continueAsNew();
    }
    return this.#merge();
  }

  /** Whether parts of the round have not ended. */
  get #hasParts(): boolean {
    const { total, ended } = this.#state.parts;
    return ended < total;
  }

  get #folder(): BulkFolder {
    return { outputUri: this.#spec.outputUri ?? null, folder: this.#state.folder };
  }

  /** Splits what is unanswered into the parts of the next round; leaves none when nothing is left to try. */
  async #plan(): Promise<void> {
    const { round, isLastRound, parts } = this.#state;
    if (isLastRound || (round > 0 && this.#haveAllSucceeded)) return;
    const only = this.#creditRounds.areOthersUsedUp ? ('noCredit' as const) : null;
    if (only !== null && !this.#creditRounds.mayBeWanted) return;
    this.#run.enter('checking');
    const which = `round ${round + 1}${only === null ? ` of at most ${this.#spec.maxRounds}` : ', for want of credit'}`;
    const summary = round === 0 ? `Check the input and plan ${which}` : `Plan ${which}`;
    await this.#outcomes.saveMuch();
    const input = { ...this.#bulkInput(), ...this.#outcomes.all, round: round + 1, only };
    const planRound = () => runActivity(transferActivities.planRound, summary, input);
    // Before the first round nothing was paid for, so a refusal ends the run.
    const planned = await this.#run.untilCancelled(() =>
      round === 0 ? planRound() : this.#persistence.untilAnswered('plan', planRound),
    );
    if (planned.interrupted) return;
    const { parts: count, firstParts, requests, inputFiles, plan, resultsUri } = planned.value;
    this.#state.inputFiles = inputFiles;
    this.#state.resultsUri = resultsUri;
    this.#state.requests = requests > 0 ? requests : this.#state.requests;
    if (count === 0) return;
    this.#run.enter('waiting');
    if (!(await this.#creditRounds.maySend(plan))) return;
    this.#state.round = round + 1;
    this.#state.sent.push(plan);
    this.#outcomes.send(plan);
    Object.assign(parts, { total: count, ended: 0, lastNumber: count });
    parts.page.push(...firstParts);
    if (firstParts.length < count) parts.lists.push({ name: 'parts', next: firstParts.length, count });
  }

  /**
   * Whether the line counts alone show that nothing is left to try, so that no file must be read. They do not where
   * answers may be sent again.
   */
  get #haveAllSucceeded(): boolean {
    const { schema, retry } = this.#spec;
    const mayBeSentAgain = Object.entries(retry).some(([kind, isOn]) => SUCCEEDED_KINDS.has(kind) && isOn);
    return !schema && !mayBeSentAgain && this.#state.outcomes.lastRound.isAllSuccess;
  }

  async #continueAsNew(): Promise<never> {
    // The deadline is passed on as a moment: a duration would count from the start of the next run.
    const deadline = this.#run.deadlineAt ?? undefined;
    const { kept: partWarnings, dropped: droppedWarnings } = this.#partWarnings;
    const { warnings } = this.#run;
    return continueAsNew<typeof runBulkBatch>(
      { ...this.#argument, ...(deadline !== undefined && { deadline }) },
      { ...this.#state, warnings, partWarnings, droppedWarnings },
    );
  }

  /** Merges what the batches returned. If every part failed, the bulk batch fails like the first of them. */
  async #merge(): Promise<BulkBatchResult> {
    this.#run.enter('collecting');
    const { sent, round, outcomes } = this.#state;
    const { order, gzip, keepParts, prices = null } = this.#spec;
    const batches = outcomes.parts;
    await this.#outcomes.saveMuch();
    const summary = `Merge the results of ${batches} batches (${round} rounds)`;
    const merge = () => {
      const { cancellation } = this.#run;
      const { anomalies } = outcomes;
      const about = { sent, batches, anomalies, order, gzip, keepParts, prices, cancellation };
      const input = { ...this.#bulkInput(), ...this.#outcomes.all, ...about, warnings: this.#warnings };
      return runActivity(transferActivities.mergeBulk, summary, input);
    };
    const result = await (batches === 0 ? merge() : this.#persistence.untilAnswered('merge', merge));
    this.#result = result;
    const failed = this.#run.cancellation ? null : this.#outcomes.failureOfAll(result);
    if (failed) throw failed;
    return result;
  }

  #bulkInput(): Omit<BulkInput, 'outcomeFiles' | 'unsaved'> {
    const { input, endpoint, missingCustomIds, provider, split, retry, schema, structuredOutput } = this.#spec;
    const { enqueuedTokens } = this.#spec;
    return {
      ...this.#folder,
      provider,
      input,
      inputFiles: this.#state.inputFiles,
      endpoint: endpoint ?? null,
      missingCustomIds,
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
    const { round, parts, outcomes, sent } = this.#state;
    const { running } = this.#runs;
    return {
      phase,
      status: `round ${round}`,
      jobId: null,
      lastCheckedAt: null,
      watchedBy: null,
      round,
      parts: {
        total: parts.total,
        waiting: Math.max(0, parts.total - parts.ended - running),
        running,
        done: parts.ended,
      },
      isPaused: this.#state.isPaused,
      lines: { ...outcomes.lines },
      underWay: this.#underWay,
      sent: [...sent],
      anomalies: { ...outcomes.anomalies },
      waitingFor: this.#creditRounds.waitingFor ?? this.#round.waitingFor ?? this.#runs.waitingFor,
      cancelRequested: cancellation !== null,
      cancellation,
      attention,
      warnings: this.#warnings,
    };
  }

  async #lookAtParts(): Promise<void> {
    const { provider } = this.#spec;
    const prefix = partRunIdOf(workflowInfo().workflowId, '');
    this.#underWay = await runActivity(promptActivities.countParts, 'Count what is answered', { provider, prefix });
    this.#show();
  }

  #show(): void {
    const { input, provider, maxRounds } = this.#spec;
    const page = bulkPage({
      workflowId: workflowInfo().workflowId,
      progress: this.#progress(),
      phaseSince: this.#run.phaseSince,
      startedAt: this.#state.origin.startedAt,
      now: now(),
      requests: this.#state.requests,
      open: this.#runs.open,
      result: this.#result,
      input: 'uri' in input ? input.uri : 'uris' in input ? input.uris.join(' ') : input.prefix,
      spec: { provider, maxRounds },
    });
    const { phase, cancellation, attention, failure } = this.#run;
    showDetails({ phase, cancellation, attention, failure, warnings: this.#warnings }, page);
  }
}
