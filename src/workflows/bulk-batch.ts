/** Any number of requests as many batches: split, run the parts, try again what is left, merge. */
import {
  CancellationScope,
  ChildWorkflowFailure,
  continueAsNew,
  getExternalWorkflowHandle,
  isCancellation,
  ParentClosePolicy,
  patched,
  setHandler,
  sleep,
  startChild,
  workflowInfo,
  type ChildWorkflowHandle,
} from '@temporalio/workflow';
import type { BulkPart, PartOutcome } from '../activities/bulk.js';
import type { BatchResult, BatchSpec } from '../jobs/batch.js';
import {
  bulkBatchSpecSchema,
  type BulkBatchProgress,
  type BulkBatchResult,
  type BulkBatchSpec,
  type ReadBulkBatchSpec,
} from '../jobs/bulk-batch.js';
import { ORIGIN } from '../jobs/job-key.js';
import type { FailureType } from '../jobs/failures.js';
import { readSpec } from '../jobs/read-spec.js';
import { budgetWorkflowId, limitInMessage } from '../jobs/token-budget.js';
import { call, requests, transfers } from './activity-calls.js';
import type { runBatch } from './batch.js';
import { showDetails } from './current-details.js';
import { asRunFailure, invalidInput, runFailure } from './failures.js';
import { identity, ownOrigin } from './identity.js';
import { bulkBatchProgressQuery, cancelSignal } from './messages.js';
import { noRoom } from './no-room.js';
import { failedPart, isSilent, resultsOf } from './part-failure.js';
import { RoomWaiters } from './room-waiters.js';
import { RunControl } from './run-control.js';
import { releaseRoomSignal, roomRefusedSignal } from './token-budget.js';

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
  const { spec, report } = readSpec(bulkBatchSpecSchema, argument);
  if (report) throw invalidInput(report);
  const bulk = new BulkRun(argument, spec, run, state);
  try {
    return await run.runToEnd(spec.deadline, () => bulk.live());
  } catch (error) {
    throw asRunFailure(error);
  }
}

class BulkRun {
  readonly #argument: BulkBatchSpec;
  readonly #spec: ReadBulkBatchSpec;
  readonly #run: RunControl;
  readonly #me = identity();
  readonly #state: BulkState;
  readonly #running = new Map<string, ChildWorkflowHandle<typeof runBatch>>();
  readonly #room: RoomWaiters;
  /** By name of the part: what it waits for. */
  readonly #waiting = new Map<string, string>();
  #partsInRound = 0;

  constructor(argument: BulkBatchSpec, spec: ReadBulkBatchSpec, run: RunControl, state: BulkState | undefined) {
    this.#argument = argument;
    this.#spec = spec;
    this.#run = run;
    this.#room = new RoomWaiters();
    this.#state = state ?? { folder: this.#me.folder, round: 0, pending: [], done: [], requests: 0, warnings: [] };
    this.#partsInRound = this.#state.pending.length;
    for (const warning of this.#state.warnings) run.warn(warning);
    run.onChange = () => this.#show();
    run.onCancel = () => this.#cancelChildren();
    setHandler(bulkBatchProgressQuery, () => this.#progress(), {
      description: 'How the bulk stands: round, parts, lines, what it waits for.',
    });
    this.#show();
  }

  async live(): Promise<BulkBatchResult> {
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
      call(transfers.planRound, round === 0 ? `check and split: ${which}` : `what is left for ${which}`, {
        ...this.#bulkInput(),
        folder,
        round: round + 1,
        done,
      }),
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
        await this.#runPart(part);
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

  /** One part, submitted again while there is no room for it. */
  async #runPart(part: BulkPart): Promise<void> {
    const name = `r${this.#state.round}-p${part.number}`;
    for (let attempt = 1; !this.#run.cancellation; attempt += 1) {
      const lease = `${workflowInfo().workflowId}/${name}`;
      const hasRoom = await this.#whileWaiting(name, 'its turn in the budget of tokens and creates', () =>
        this.#waitForRoom(part, lease),
      );
      if (!hasRoom) return;
      const outcome = await this.#runChild(part, attempt === 1 ? name : `${name}.${attempt}`);
      if (typeof outcome !== 'string') {
        await this.#giveBack(lease);
        this.#finish(part, outcome);
        return;
      }
      await this.#tellRefusal(lease, part, outcome);
      const pause = Math.min(ROOM_PAUSE_MS * 2 ** (attempt - 1), MAX_ROOM_PAUSE_MS);
      await this.#whileWaiting(name, outcome, () =>
        this.#run.untilCancelled(() => sleep(pause, { summary: `${name} waits for room` })),
      );
    }
  }

  async #whileWaiting<T>(name: string, why: string, wait: () => Promise<T>): Promise<T> {
    this.#waiting.set(name, why);
    this.#show();
    try {
      return await wait();
    } finally {
      this.#waiting.delete(name);
      this.#show();
    }
  }

  async #waitForRoom(part: BulkPart, lease: string): Promise<boolean> {
    const { provider, enqueuedTokens } = this.#spec;
    const limit = typeof enqueuedTokens === 'number' ? enqueuedTokens : (enqueuedTokens?.[part.model] ?? null);
    const { model, estimatedTokens: tokens } = part;
    const request = { lease, holder: workflowInfo().workflowId, model, tokens, limit };
    const granted = await this.#run.untilCancelled(() =>
      this.#room.granted(lease, () =>
        call(requests.requestRoom, `room for ${tokens} tokens of ${model}`, { provider, request }),
      ),
    );
    if (granted.interrupted) await this.#giveBack(lease);
    return !granted.interrupted;
  }

  /** The part's outcome; or why there is no room for it. */
  async #runChild(part: BulkPart, name: string): Promise<PartOutcome | string> {
    const { number, model, endpoint, file, requests: count } = part;
    const { workflowId } = workflowInfo();
    const { completionWindow, metadata, provider, poll, vanishedAfter, stuckAfter, onAmbiguousCreate, cleanup } =
      this.#spec;
    const spec: BatchSpec = {
      input: { uri: file.uri, checked: { requests: count, bytes: file.bytes, sha256: file.sha256, model } },
      endpoint,
      completionWindow,
      metadata,
      provider,
      poll,
      vanishedAfter,
      stuckAfter,
      onAmbiguousCreate,
      cleanup,
      outputUri: part.resultsUri,
    };
    const about = { round: this.#state.round, part: number, model, requests: count };
    const childId = `${workflowId}/${name}`;
    try {
      const child = await startChild<typeof runBatch>('runBatch', {
        workflowId: childId,
        args: [spec],
        staticSummary: `Round ${this.#state.round}, part ${number}: ${count} requests for ${model}`,
        memo: { [ORIGIN]: ownOrigin() },
        // A bulk that is terminated must not leave batches behind that nobody waits for.
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      });
      this.#running.set(name, child);
      this.#show();
      if (this.#run.cancellation) await child.signal(cancelSignal, CANCEL_REASON);
      const result = await child.result();
      return { ...about, batchId: result.batchId, status: result.status, ...resultsOf(result), failure: null };
    } catch (error) {
      if (!(error instanceof ChildWorkflowFailure)) throw error;
      const why = noRoom(error);
      if (why !== null) return why;
      const kept = isSilent(error) ? await this.#keptBy(childId, part) : null;
      const failed = failedPart(error, count, kept);
      this.#run.warn(`Part ${number} of round ${about.round} failed: ${failed.failure?.message}`);
      return { ...about, ...failed };
    } finally {
      this.#running.delete(name);
    }
  }

  /** A child that was cancelled or terminated by itself cannot say what it has: its manifest does, where there is one. */
  #keptBy(childId: string, { resultsUri }: BulkPart): Promise<BatchResult | null> {
    return call(requests.findPartResult, `what ${childId} has kept`, { workflowId: childId, resultsUri });
  }

  #finish(part: BulkPart, outcome: PartOutcome): void {
    this.#state.pending = this.#state.pending.filter(({ number }) => number !== part.number);
    this.#state.done.push(outcome);
    this.#show();
  }

  async #giveBack(lease: string): Promise<void> {
    await this.#tellBudget((budget) => budget.signal(releaseRoomSignal, lease));
  }

  async #tellRefusal(lease: string, part: BulkPart, why: string): Promise<void> {
    const refusal = { lease, model: part.model, limit: limitInMessage(why) };
    await this.#tellBudget((budget) => budget.signal(roomRefusedSignal, refusal));
  }

  /** The budget may have ended meanwhile; then there is nothing to tell. */
  async #tellBudget(tell: (budget: ReturnType<typeof getExternalWorkflowHandle>) => Promise<void>): Promise<void> {
    try {
      await tell(getExternalWorkflowHandle(budgetWorkflowId(workflowInfo().taskQueue, this.#spec.provider)));
    } catch (error) {
      if (isCancellation(error)) throw error;
    }
  }

  #cancelChildren(): void {
    for (const child of this.#running.values()) {
      void CancellationScope.nonCancellable(() => child.signal(cancelSignal, CANCEL_REASON)).catch(() => undefined);
    }
  }

  /** Where no batch brought anything, since each of them was refused or failed, that is how the bulk ends too. */
  async #merge(): Promise<BulkBatchResult> {
    const result = await this.#mergeAll();
    const { done } = this.#state;
    const [first] = done.flatMap(({ failure }) => (failure ? [failure] : []));
    if (!first || result.output !== null || result.status === 'cancelled') return result;
    if (done.some(({ failure }) => failure === null)) return result;
    throw runFailure(first.type as FailureType, `no batch brought a result: ${first.message}`, { result });
  }

  async #mergeAll(): Promise<BulkBatchResult> {
    this.#run.enter('collecting');
    const { folder, done, round } = this.#state;
    const { cancellation, warnings } = this.#run;
    const { order, gzip, prices } = this.#spec;
    return call(transfers.mergeBulk, `merge ${done.length} batches of ${round} rounds`, {
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
    const running = this.#running.size;
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
      waitingFor: [...this.#waiting.values()][0] ?? null,
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
const ROOM_PAUSE_MS = 60_000;
const MAX_ROOM_PAUSE_MS = 30 * 60_000;
const CANCEL_REASON = 'the bulk batch was cancelled';
