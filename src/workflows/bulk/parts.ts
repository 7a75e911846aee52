/**
 * The parts of a bulk batch. Each part waits for capacity, runs as a child workflow of type `runBatch`, and is
 * submitted again as long as the provider refuses it for want of capacity.
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
import { ORIGIN } from '../../contract/job-key.js';
import type { BulkPart, PartOutcome } from '../../contract/part.js';
import { inSummary } from '../../contract/text.js';
import { budgetWorkflowId } from '../../contract/token-budget.js';
import type { runBatch } from '../batch.js';
import { runActivity, shortActivities } from '../lifecycle/activity-calls.js';
import { ownOrigin } from '../lifecycle/identity.js';
import type { RunControl } from '../lifecycle/run-control.js';
import { cancelSignal } from '../messages.js';
import { Capacity, capacityRefusal, leaseOf } from './capacity.js';
import { StallCheck } from './stall-check.js';
import { endedByOperator, outcomeOfFailedPart, outcomeOfResult } from './part-failure.js';

/** The pause after the first refusal; it doubles with each further one. */
const CAPACITY_PAUSE_MS = 60_000;
const MAX_CAPACITY_PAUSE_MS = 30 * 60_000;
/** The interval between attempts to start a child while an earlier child has its id. */
const EARLIER_CHILD_PAUSE_MS = 10_000;
const CAPACITY = 'capacity in the budget of tokens and creates';
const CANCEL_REASON = 'the bulk batch was cancelled';

/** How one attempt of a part ended. */
type PartAttempt =
  | { readonly kind: 'done'; readonly outcome: PartOutcome }
  | { readonly kind: 'noCapacity'; readonly message: string }
  /** A cancel came before the part was submitted. */
  | { readonly kind: 'cancelled' };

type Child = ChildWorkflowHandle<typeof runBatch>;

export class Parts {
  readonly #spec: ParsedBulkBatchSpec;
  readonly #run: RunControl;
  readonly #onChange: () => void;
  readonly #capacity: Capacity;
  readonly #stalls: StallCheck;
  /** By name of the part's attempt. */
  readonly #running = new Map<string, Child>();
  /** What a part waits for, by name of the part. */
  readonly #waiting = new Map<string, string>();

  constructor(spec: ParsedBulkBatchSpec, run: RunControl, onChange: () => void) {
    this.#spec = spec;
    this.#run = run;
    this.#onChange = onChange;
    this.#capacity = new Capacity(spec, run);
    this.#stalls = new StallCheck(run);
  }

  get running(): number {
    return this.#running.size;
  }

  /** What a part waits for that could not be submitted yet; null where none waits. */
  get waitingFor(): string | null {
    return [...this.#waiting.values()][0] ?? null;
  }

  /** Sends the cancel to all children. */
  cancel(): void {
    for (const child of this.#running.values()) {
      void CancellationScope.nonCancellable(() => child.signal(cancelSignal, CANCEL_REASON)).catch(() => undefined);
    }
  }

  /** Runs one part to its end; null where a cancel came before it was submitted. */
  async run(part: BulkPart, round: number): Promise<PartOutcome | null> {
    const name = `r${round}-p${part.number}`;
    for (let attempt = 1; !this.#run.cancellation; attempt += 1) {
      const lease = leaseOf(name, attempt);
      const budgetId = budgetWorkflowId(workflowInfo().taskQueue, this.#spec.provider);
      const isGranted = await this.#whileWaiting(name, CAPACITY, () =>
        this.#stalls.during(
          'tokenBudget',
          budgetId,
          (reason) => this.#tellWaiting(name, reason ?? CAPACITY),
          () => this.#capacity.acquire(part, lease),
        ),
      );
      if (!isGranted) return null;
      const ended = await this.#runChild(part, round, attempt === 1 ? name : `${name}.${attempt}`);
      if (ended.kind !== 'noCapacity') {
        await this.#capacity.release(lease);
        return ended.kind === 'done' ? ended.outcome : null;
      }
      await this.#capacity.reportRefusal(part, lease, ended.message);
      const pauseMs = Math.min(CAPACITY_PAUSE_MS * 2 ** (attempt - 1), MAX_CAPACITY_PAUSE_MS);
      await this.#whileWaiting(name, ended.message, () =>
        this.#run.untilCancelled(() => sleep(pauseMs, { summary: `Pause ${name} until capacity is requested again` })),
      );
    }
    return null;
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
    const childId = `${workflowInfo().workflowId}/${name}`;
    try {
      const child = await this.#start(part, round, name, childId);
      if (child === null) return { kind: 'cancelled' };
      this.#running.set(name, child);
      this.#onChange();
      if (this.#run.cancellation) await child.signal(cancelSignal, CANCEL_REASON);
      const result = await this.#stalls.during(
        'runBatch',
        childId,
        (reason) => this.#tellWaiting(name, reason),
        () => child.result(),
      );
      const { batchId, status } = result;
      return { kind: 'done', outcome: { ...about, batchId, status, ...outcomeOfResult(result), failure: null } };
    } catch (error) {
      if (!(error instanceof ChildWorkflowFailure)) throw error;
      const refusal = capacityRefusal(error);
      if (refusal !== null) return { kind: 'noCapacity', message: refusal };
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
          memo: { [ORIGIN]: ownOrigin() },
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
    const { completionWindow, metadata, provider, poll, onAmbiguousCreate, cleanup } = this.#spec;
    const { vanishedAfter, stuckAfter, settleFor, giveUpAfter } = this.#spec;
    return {
      input: { uri: file.uri },
      endpoint,
      completionWindow,
      metadata,
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

/** The split has checked every request, so the child does not read them again. */
function checkedInputOf({ requests, model, file: { uri, bytes, sha256 } }: BulkPart): CheckedBatchInput {
  return { requests, model, file: { uri, bytes, sha256 } };
}
