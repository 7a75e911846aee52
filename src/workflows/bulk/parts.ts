/**
 * The parts of a bulk batch. Each part waits for capacity, runs as a child workflow of type `runBatch`, and is
 * submitted again as long as the provider refuses it for want of room or credit.
 */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  CancellationScope,
  ChildWorkflowFailure,
  ParentClosePolicy,
  sleep,
  startChild,
  workflowInfo,
  type ChildWorkflowHandle,
} from '@temporalio/workflow';
import type { BatchResult, BatchSpec, CheckedBatchInput } from '../../contract/batch.js';
import type { ParsedBulkBatchSpec } from '../../contract/bulk-batch.js';
import { ORIGIN, type Origin } from '../../contract/job-key.js';
import type { BulkPart, PartOutcome } from '../../contract/part.js';
import { toMs } from '../../contract/spec-fields.js';
import { inSummary } from '../../contract/text.js';
import type { runBatch } from '../batch.js';
import { runActivity, shortActivities } from '../lifecycle/activity-calls.js';
import type { RunControl } from '../lifecycle/run-control.js';
import { cancelSignal } from '../messages.js';
import { isHistoryLong } from '../lifecycle/history-limit.js';
import { childIdOf } from './child-id.js';
import { Capacity, leaseOf } from './capacity.js';
import { abandoned, endedByOperator, hasAnswers, outcomeOfFailedPart, outcomeOfResult } from './part-failure.js';
import { StallCheck } from './stall-check.js';
import { decide, describeWaiting, refusalOf, waitAfter, type Refusal, type Waiting } from './refusals.js';

/** The interval between attempts to start a child while an earlier child has its id. */
const EARLIER_CHILD_PAUSE_MS = 10_000;
/** What a part waits for first. */
const CAPACITY = 'capacity in the budget of tokens and creates';
const CANCEL_REASON = 'the bulk batch was cancelled';

/** How a part ended. */
export type PartEnd =
  | { readonly kind: 'done'; readonly outcome: PartOutcome }
  /** It is larger than the provider's limit, and is to be divided into parts of so many tokens. */
  | { readonly kind: 'divide'; readonly tokens: number; readonly failed: PartOutcome }
  /** A cancel came before it was submitted, or the run continues as new before its next attempt. */
  | { readonly kind: 'open' };

/** How one attempt of a part ended. */
type PartAttempt =
  | Extract<PartEnd, { kind: 'done' | 'open' }>
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly failed: PartOutcome };

type Child = ChildWorkflowHandle<typeof runBatch>;

export class Parts {
  readonly #spec: ParsedBulkBatchSpec;
  readonly #run: RunControl;
  readonly #origin: Origin;
  readonly #onChange: () => void;
  readonly #capacity: Capacity;
  readonly #stalls: StallCheck;
  /** By name of the part's attempt. */
  readonly #running = new Map<string, Child>();
  /** What a part waits for, by name of the part. */
  readonly #waiting = new Map<string, string>();
  /** The refusals of parts that have not ended, by name of the part. */
  readonly #refused: Record<string, Waiting>;

  /** @param refused by name of the part; kept up to date, for the run that continues this one */
  constructor(
    spec: ParsedBulkBatchSpec,
    run: RunControl,
    { origin, refused, onChange }: { origin: Origin; refused: Record<string, Waiting>; onChange: () => void },
  ) {
    this.#spec = spec;
    this.#run = run;
    this.#origin = origin;
    this.#onChange = onChange;
    this.#refused = refused;
    this.#capacity = new Capacity(spec, run, onChange);
    this.#stalls = new StallCheck(run);
  }

  get running(): number {
    return this.#running.size;
  }

  /** What parts wait for that could not be submitted yet; null where none waits. Refusals come first. */
  get waitingFor(): string | null {
    const refused = Object.keys(this.#refused).find((name) => this.#waiting.has(name));
    const first = refused === undefined ? this.#waiting.values().next().value : this.#waiting.get(refused);
    if (first === undefined) return null;
    const others = this.#waiting.size - 1;
    const text = first === CAPACITY ? (this.#capacity.problem ?? first) : first;
    return others === 0 ? text : `${text} (and ${others} more ${others === 1 ? 'part waits' : 'parts wait'})`;
  }

  /** Sends the cancel to all children. */
  cancel(): void {
    for (const child of this.#running.values()) void sendCancel(child);
  }

  /** Runs one part to its end. */
  async run(part: BulkPart, round: number): Promise<PartEnd> {
    const name = nameOf(part, round);
    while (!this.#run.cancellation) {
      const before = this.#refused[name] ?? null;
      if (before !== null && !(await this.#hasWaited(name, before))) return { kind: 'open' };
      const attempts = (before?.attempts ?? 0) + 1;
      const lease = leaseOf(name, attempts);
      const isGranted = await this.#whileWaiting(name, CAPACITY, () => this.#capacity.acquire(part, lease));
      if (!isGranted) return { kind: 'open' };
      const ended = await this.#runChild(part, round, attempts === 1 ? name : `${name}.${attempts}`);
      if (ended.kind !== 'refused') {
        if (ended.kind === 'done') delete this.#refused[name];
        await this.#capacity.release(lease);
        return ended;
      }
      const { refusal, failed } = ended;
      if (refusal.reason === 'room') await this.#capacity.reportRefusal(part, lease, refusal.message);
      else await this.#capacity.release(lease);
      const waiting = waitAfter(refusal, before, attempts);
      const decision = decide(part, waiting, refusal, toMs(this.#spec.giveUpAfter));
      if (decision.kind === 'wait') {
        this.#refused[name] = waiting;
        continue;
      }
      delete this.#refused[name];
      if (decision.kind === 'divide') return { kind: 'divide', tokens: decision.tokens, failed };
      return { kind: 'done', outcome: this.giveUp(failed, decision.reason) };
    }
    return { kind: 'open' };
  }

  /** The outcome of a part that is not submitted again. */
  giveUp(failed: PartOutcome, reason: string): PartOutcome {
    const outcome = abandoned(failed, reason);
    this.#run.warn(`Part ${outcome.part} of round ${outcome.round} failed: ${outcome.failure?.message}`);
    return outcome;
  }

  /** Waits until the next attempt; false when that is left to a later run, or a cancel came first. */
  async #hasWaited(name: string, waiting: Waiting): Promise<boolean> {
    if (isHistoryLong()) return false;
    const ms = Math.max(1, waiting.until - Date.now());
    const summary = `Pause ${name} for want of ${waiting.reason} at the provider`;
    const waited = await this.#whileWaiting(name, describeWaiting(waiting), () =>
      this.#run.untilCancelled(() => sleep(ms, { summary })),
    );
    return !waited.interrupted && !isHistoryLong();
  }

  #tellWaiting(name: string, waitingFor: string | null): void {
    if (waitingFor === null) this.#waiting.delete(name);
    else this.#waiting.set(name, waitingFor);
    this.#onChange();
  }

  async #whileWaiting<T>(name: string, waitingFor: string, wait: () => Promise<T>): Promise<T> {
    this.#waiting.set(name, waitingFor);
    this.#onChange();
    try {
      return await wait();
    } finally {
      this.#waiting.delete(name);
      this.#onChange();
    }
  }

  async #runChild(part: BulkPart, round: number, name: string): Promise<PartAttempt> {
    const { number, model, requests } = part;
    const about = { round, part: number, model, requests };
    const childId = childIdOf(workflowInfo().workflowId, name);
    try {
      const child = await this.#start(part, round, name, childId);
      if (child === null) return { kind: 'open' };
      this.#running.set(name, child);
      this.#onChange();
      if (this.#run.cancellation) await sendCancel(child);
      const result = await this.#stalls.during(
        childId,
        (reason) => this.#tellWaiting(name, reason),
        () => child.result(),
      );
      const { batchId, status } = result;
      return { kind: 'done', outcome: { ...about, batchId, status, ...outcomeOfResult(result), failure: null } };
    } catch (error) {
      if (!(error instanceof ChildWorkflowFailure)) throw error;
      const refusal = refusalOf(error);
      if (refusal !== null) {
        const failed = { ...about, ...outcomeOfFailedPart(error, requests, null) };
        // What a batch answered before it ran out of credit is kept: the rest is for the next round.
        if (!hasAnswers(failed)) return { kind: 'refused', refusal, failed };
      }
      const manifest = endedByOperator(error) ? await this.#readManifest(childId, part) : null;
      const failed = outcomeOfFailedPart(error, requests, manifest);
      this.#run.warn(`Part ${number} of round ${round} failed: ${failed.failure.message}`);
      return { kind: 'done', outcome: { ...about, ...failed } };
    } finally {
      this.#running.delete(name);
      this.#waiting.delete(name);
    }
  }

  /**
   * Starts the child. While an earlier child has the id (a bulk batch of the same id was terminated, and its children
   * are cancelling), waits for the end of that one. Null where a cancel comes first.
   */
  async #start(part: BulkPart, round: number, name: string, workflowId: string): Promise<Child | null> {
    while (true) {
      try {
        return await startChild<typeof runBatch>('runBatch', {
          workflowId,
          args: [this.#childSpec(part), checkedInputOf(part)],
          staticSummary: inSummary(`Round ${round}, part ${part.number}: ${part.requests} requests for ${part.model}`),
          memo: { [ORIGIN]: this.#origin },
          // Without its parent, nobody would wait for the batch that the child runs.
          parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        });
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      }
      const waited = await this.#whileWaiting(name, `the end of ${workflowId}, left by an earlier run`, () =>
        this.#run.untilCancelled(() =>
          sleep(EARLIER_CHILD_PAUSE_MS, { summary: inSummary(`Wait for earlier ${workflowId}`) }),
        ),
      );
      if (waited.interrupted || this.#run.cancellation) return null;
    }
  }

  #childSpec({ file, endpoint, resultsUri }: BulkPart): BatchSpec {
    const { completionWindow, metadata, extraBody, provider, poll, onAmbiguousCreate, cleanup } = this.#spec;
    const { vanishedAfter, stuckAfter, settleFor, giveUpAfter } = this.#spec;
    return {
      input: { uri: file.uri },
      endpoint,
      completionWindow,
      metadata,
      extraBody,
      provider,
      poll,
      vanishedAfter,
      stuckAfter,
      settleFor,
      giveUpAfter,
      onAmbiguousCreate,
      cleanup,
      outputUri: resultsUri,
    };
  }

  /** A child that was cancelled or terminated returns no result, but may have written its manifest. */
  #readManifest(workflowId: string, { resultsUri }: BulkPart): Promise<BatchResult | null> {
    const summary = `Read the manifest of ${workflowId}`;
    return runActivity(shortActivities.findPartResult, summary, { workflowId, resultsUri });
  }
}

/** A child that ended a moment before cannot be signalled, and need not be. */
async function sendCancel(child: Child): Promise<void> {
  await CancellationScope.nonCancellable(() => child.signal(cancelSignal, CANCEL_REASON)).catch(() => undefined);
}

const nameOf = ({ number }: BulkPart, round: number): string => `r${round}-p${number}`;

/** The split has checked every request, so the child does not read them again. */
function checkedInputOf({ requests, model, file: { uri, bytes, sha256 } }: BulkPart): CheckedBatchInput {
  return { requests, model, file: { uri, bytes, sha256 } };
}
