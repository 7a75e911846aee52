/**
 * The parts of one round, as many at a time as the spec allows. A round goes on over a continue-as-new: what is begun is
 * in the state, and no part waits for another one.
 */
import { condition, sleep } from '@temporalio/workflow';
import type { BatchSpec } from '../../contract/batch.js';
import { hasOnlyStrangers, PARTS_PER_PAGE, type Part, type PartOutcome } from '../../contract/part.js';
import { abandoned, outcomeOf, type Refusal } from '../../contract/part-report.js';
import { toMs } from '../../contract/duration.js';
import { runActivity, transferActivities } from '../lifecycle/activity-calls.js';
import { isHistoryLong } from '../lifecycle/history-limit.js';
import { Division } from './division.js';
import { decide, describeWaiting, waitAfter } from './refusals.js';
import type { RoundContext } from './round-context.js';
import type { BegunPart } from './state.js';

export class Round {
  readonly #context: RoundContext;
  readonly #division: Division;
  /** What parts wait for that were refused, by name. */
  readonly #waiting = new Map<string, string>();
  /** Steps under way that the next run could not take over. */
  #busy = 0;
  #reading: Promise<void> | null = null;

  constructor(context: RoundContext) {
    this.#context = context;
    this.#division = new Division(context);
  }

  /** What parts wait for that were refused; null if there are none. */
  get waitingFor(): string | null {
    const first = this.#waiting.values().next().value;
    if (first === undefined) return null;
    const others = this.#waiting.size - 1;
    return others === 0 ? first : `${first} (and ${others} more ${others === 1 ? 'part waits' : 'parts wait'})`;
  }

  /** Runs what is left of the round, until it has ended, a cancel has been carried out, or the history is long. */
  async run(): Promise<void> {
    const { spec, run, state, runs } = this.#context;
    const begun = [...state.parts.begun];
    for (const part of begun) if (part.isStarted) runs.resume(this.#nameOf(part));
    const lanes = Array.from({ length: Math.max(spec.maxParallel, begun.length) }, (_, index) =>
      this.#lane(begun[index] ?? null),
    );
    const mustContinue = () => isHistoryLong() && this.#busy === 0 && runs.isAtRest && !run.cancellation;
    await runs.watching(() => Promise.race([Promise.all(lanes), condition(mustContinue)]));
  }

  /** Runs one part after the other. */
  async #lane(resumed: BegunPart | null): Promise<void> {
    for (let part = resumed ?? (await this.#next()); part !== null; part = await this.#next()) {
      await this.#runToEnd(part);
      if (this.#context.run.cancellation) return;
    }
  }

  /** The next part, as begun; null where there is none, or a cancel came. */
  async #next(): Promise<BegunPart | null> {
    const { run, state } = this.#context;
    const { page, lists, begun } = state.parts;
    while (true) {
      await this.#untilMayBegin();
      if (run.cancellation) return null;
      const part = page.shift();
      if (part) {
        const entry: BegunPart = { part, attempt: 1, isStarted: false, waiting: null };
        begun.push(entry);
        return entry;
      }
      if (lists.length === 0) return null;
      this.#reading ??= this.#readPage().finally(() => (this.#reading = null));
      await this.#reading;
    }
  }

  /** While paused, or before the run continues as new, nothing is begun. */
  #untilMayBegin(): Promise<void> {
    const { run, state } = this.#context;
    return condition(() => run.cancellation !== null || (!state.isPaused && !isHistoryLong()));
  }

  async #readPage(): Promise<void> {
    const { state, folder, persistence } = this.#context;
    const { lists, page } = state.parts;
    const list = lists[0]!;
    const count = Math.min(PARTS_PER_PAGE, list.count - list.next);
    const input = { ...folder, round: state.round, list: list.name, from: list.next, count };
    const summary = `Read ${count} parts of round ${state.round}`;
    const parts = await this.#whileBusy(() =>
      persistence.untilAnswered('plan', () => runActivity(transferActivities.readParts, summary, input)),
    );
    list.next += count;
    // A division may have put another list in front meanwhile.
    if (list.next >= list.count) lists.splice(lists.indexOf(list), 1);
    page.push(...parts);
  }

  async #runToEnd(part: BegunPart): Promise<void> {
    const { run, runs } = this.#context;
    while (true) {
      const name = this.#nameOf(part);
      if (!part.isStarted) {
        if (part.waiting) await this.#pause(name, part);
        await this.#untilMayBegin();
        if (run.cancellation) return;
        const started = await this.#whileBusy(() => runs.start(this.#newRun(name, part.part)));
        if (started === 'occupied') {
          await runs.untilFree(name);
          continue;
        }
        part.isStarted = true;
      }
      const report = await runs.end(name);
      const { number, model, requests } = part.part;
      const outcome = outcomeOf(report, { round: this.#context.state.round, part: number, model, requests });
      const refusal = report.failure?.refusal ?? null;
      if (refusal === null) return this.#finish(part, outcome, report.failure !== null);
      if (!(await this.#isTriedAgain(part, refusal, outcome))) return;
    }
  }

  /** Whether a refused part is submitted again. If not, it is divided, or given up. */
  async #isTriedAgain(part: BegunPart, refusal: Refusal, outcome: PartOutcome): Promise<boolean> {
    const { spec, run } = this.#context;
    const waiting = waitAfter(refusal, part.waiting, part.attempt);
    const decision = decide(part.part, waiting, refusal, toMs(spec.giveUpAfter));
    if (decision.kind === 'wait') {
      part.attempt += 1;
      part.isStarted = false;
      part.waiting = waiting;
      return !run.cancellation;
    }
    if (decision.kind === 'giveUp') await this.#giveUp(part, outcome, decision.reason);
    else await this.#divide(part, decision.tokens, outcome);
    return false;
  }

  #pause(name: string, { waiting }: BegunPart): Promise<unknown> {
    const { reason, until } = waiting!;
    const summary = `Pause ${name} for want of ${reason} at the provider`;
    const ms = Math.max(1, until - Date.now());
    return this.#whileWaiting(name, describeWaiting(waiting!), () =>
      this.#context.run.untilCancelled(() => sleep(ms, { summary })),
    );
  }

  /** Replaces a part that is larger than the provider's limit by smaller ones. */
  async #divide(part: BegunPart, tokens: number, failed: PartOutcome): Promise<void> {
    const { run, state } = this.#context;
    const { number, estimatedTokens } = part.part;
    const limit = `${tokens.toLocaleString('en-US')} tokens`;
    const count = await this.#whileBusy(() => this.#division.divide(part, tokens));
    if (count === 0) return this.#giveUp(part, failed, `parts of at most ${limit} would be too many for a bulk batch`);
    const last = state.parts.lastNumber;
    run.warn(
      `Part ${number} of round ${state.round} has an estimated ${estimatedTokens.toLocaleString('en-US')} tokens and ` +
        `was refused: it continues as parts ${last - count + 1} to ${last} of at most ${limit}`,
    );
  }

  #giveUp(part: BegunPart, failed: PartOutcome, reason: string): Promise<void> {
    return this.#finish(part, abandoned(failed, reason), true);
  }

  async #finish(part: BegunPart, outcome: PartOutcome, hasFailed: boolean): Promise<void> {
    const { run, state, outcomes, onEnd } = this.#context;
    const { begun } = state.parts;
    if (hasFailed) run.warn(`Part ${outcome.part} of round ${outcome.round} failed: ${outcome.failure?.message}`);
    begun.splice(begun.indexOf(part), 1);
    state.parts.ended += 1;
    outcomes.add(outcome);
    if (hasOnlyStrangers(outcome)) this.#stopFor(outcome);
    onEnd(outcome);
    await this.#whileBusy(() => outcomes.saveMuch());
  }

  /** Answers that belong to no request would be bought again in every round. */
  #stopFor({ batchId, part, round }: PartOutcome): void {
    const { run, state } = this.#context;
    state.isLastRound = true;
    run.warn(
      `All answers of ${batchId ?? 'the batch'} (part ${part} of round ${round}) are under custom_ids that are not in ` +
        'the input. Nothing is sent again: the requests end as they are, and the answers are in the folder of the batch.',
    );
  }

  #nameOf({ part, attempt }: BegunPart): string {
    const name = `r${this.#context.state.round}-p${part.number}`;
    return attempt === 1 ? name : `${name}.${attempt}`;
  }

  #newRun(name: string, part: Part) {
    const { number, requests, model, estimatedTokens, file } = part;
    const { enqueuedTokens = null, priority } = this.#context.spec;
    const limit = typeof enqueuedTokens === 'object' ? limitOf(enqueuedTokens ?? {}, model) : enqueuedTokens;
    return {
      name,
      summary: `Round ${this.#context.state.round}, part ${number}: ${requests} requests for ${model}`,
      spec: this.#specOf(part),
      // The split has checked every request, so the run does not read them again.
      checked: {
        requests,
        model,
        file: { uri: file.uri, bytes: file.bytes, sha256: file.sha256 },
        capacity: { estimatedTokens, enqueuedTokens: limit, priority },
      },
    };
  }

  #specOf({ file, endpoint }: Part): BatchSpec {
    const { completionWindow, metadata, extraBody, provider, link, poll, watch, onAmbiguousCreate, cleanup } =
      this.#context.spec;
    const { vanishedAfter, stuckAfter, settleFor, giveUpAfter } = this.#context.spec;
    return {
      input: { uri: file.uri },
      endpoint,
      completionWindow,
      metadata,
      extraBody,
      provider,
      link,
      poll,
      watch,
      vanishedAfter,
      stuckAfter,
      settleFor,
      giveUpAfter,
      onAmbiguousCreate,
      cleanup,
      outputUri: this.#context.state.resultsUri!,
    };
  }

  async #whileBusy<T>(step: () => Promise<T>): Promise<T> {
    this.#busy += 1;
    try {
      return await step();
    } finally {
      this.#busy -= 1;
    }
  }

  async #whileWaiting<T>(name: string, waitingFor: string, wait: () => Promise<T>): Promise<T> {
    this.#waiting.set(name, waitingFor);
    this.#context.onChange();
    try {
      return await wait();
    } finally {
      this.#waiting.delete(name);
      this.#context.onChange();
    }
  }
}

/** The limit of a model, whose name may be that of anything. */
function limitOf(limits: Readonly<Record<string, number>>, model: string): number | null {
  return Object.hasOwn(limits, model) ? limits[model]! : null;
}
