/** The parts of a bulk batch: each asks for room, runs as a child of type `runBatch`, and is submitted again while there is no room. */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  CancellationScope,
  ChildWorkflowFailure,
  getExternalWorkflowHandle,
  isCancellation,
  ParentClosePolicy,
  patched,
  sleep,
  startChild,
  workflowInfo,
  type ChildWorkflowHandle,
} from '@temporalio/workflow';
import type { BulkPart, PartOutcome } from '../../contract/part.js';
import type { BatchResult, BatchSpec, CheckedBatchInput } from '../../contract/batch.js';
import type { ParsedBulkBatchSpec } from '../../contract/bulk-batch.js';
import { ORIGIN } from '../../contract/job-key.js';
import { budgetWorkflowId, limitInMessage } from '../../contract/token-budget.js';
import { runActivity, shortActivities } from '../lifecycle/activity-calls.js';
import type { runBatch } from '../batch.js';
import { ownOrigin } from '../lifecycle/identity.js';
import { cancelSignal } from '../messages.js';
import { capacityRefusal } from './capacity-refusal.js';
import { outcomeOfFailedPart, endedByOperator, resultUris } from './part-failure.js';
import { CapacityGrants } from './capacity-grants.js';
import type { RunControl } from '../lifecycle/run-control.js';
import { releaseCapacitySignal, capacityRefusedSignal } from '../token-budget.js';

const ROOM_PAUSE_MS = 60_000;
const MAX_ROOM_PAUSE_MS = 30 * 60_000;
/** How often a child is tried to start whose id a former run's child still has. */
const FORMER_CHILD_PAUSE_MS = 10_000;
const CANCEL_REASON = 'the bulk batch was cancelled';

export class Parts {
  readonly #spec: ParsedBulkBatchSpec;
  readonly #run: RunControl;
  readonly #onChange: () => void;
  readonly #room = new CapacityGrants();
  readonly #running = new Map<string, ChildWorkflowHandle<typeof runBatch>>();
  /** By name of the part: what it waits for. */
  readonly #waiting = new Map<string, string>();

  constructor(spec: ParsedBulkBatchSpec, run: RunControl, onChange: () => void) {
    this.#spec = spec;
    this.#run = run;
    this.#onChange = onChange;
  }

  get running(): number {
    return this.#running.size;
  }

  /** What a part waits for that could not be submitted yet; null where none waits. */
  get waitingFor(): string | null {
    return [...this.#waiting.values()][0] ?? null;
  }

  /** Tells all children to cancel. */
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
      const hasRoom = await this.#whileWaiting(name, 'its turn in the budget of tokens and creates', () =>
        this.#waitForRoom(part, lease),
      );
      if (!hasRoom) return null;
      const outcome = await this.#runChild(part, round, attempt === 1 ? name : `${name}.${attempt}`);
      if (typeof outcome !== 'string') {
        await this.#tellBudget((budget) => budget.signal(releaseCapacitySignal, lease));
        return outcome;
      }
      const refusal = { lease, model: part.model, limit: limitInMessage(outcome) };
      await this.#tellBudget((budget) => budget.signal(capacityRefusedSignal, refusal));
      const pause = Math.min(ROOM_PAUSE_MS * 2 ** (attempt - 1), MAX_ROOM_PAUSE_MS);
      await this.#whileWaiting(name, outcome, () =>
        this.#run.untilCancelled(() => sleep(pause, { summary: `${name} waits for room` })),
      );
    }
    return null;
  }

  async #whileWaiting<T>(name: string, why: string, wait: () => Promise<T>): Promise<T> {
    this.#waiting.set(name, why);
    this.#onChange();
    try {
      return await wait();
    } finally {
      this.#waiting.delete(name);
      this.#onChange();
    }
  }

  async #waitForRoom(part: BulkPart, lease: string): Promise<boolean> {
    const { provider, enqueuedTokens } = this.#spec;
    const limit = typeof enqueuedTokens === 'number' ? enqueuedTokens : (enqueuedTokens?.[part.model] ?? null);
    const { model, estimatedTokens: tokens } = part;
    const { workflowId: holder, originalExecutionRunId: holderRun } = workflowInfo();
    const request = { lease, holder, holderRun, model, tokens, limit };
    const granted = await this.#run.untilCancelled(() =>
      this.#room.granted(lease, () =>
        runActivity(shortActivities.requestRoom, `room for ${tokens} tokens of ${model}`, { provider, request }),
      ),
    );
    if (granted.interrupted) await this.#tellBudget((budget) => budget.signal(releaseCapacitySignal, lease));
    return !granted.interrupted;
  }

  /** The budget may have ended meanwhile; then there is nothing to tell. */
  async #tellBudget(tell: (budget: ReturnType<typeof getExternalWorkflowHandle>) => Promise<void>): Promise<void> {
    try {
      await tell(getExternalWorkflowHandle(budgetWorkflowId(workflowInfo().taskQueue, this.#spec.provider)));
    } catch (error) {
      if (isCancellation(error)) throw error;
    }
  }

  /** The part's outcome, null where a cancel came first; or why there is no room for it. */
  async #runChild(part: BulkPart, round: number, name: string): Promise<PartOutcome | string | null> {
    const { number, model, requests: count } = part;
    const about = { round, part: number, model, requests: count };
    const childId = `${workflowInfo().workflowId}/${name}`;
    try {
      const child = await this.#start(part, round, name, childId);
      if (child === null) return null;
      this.#running.set(name, child);
      this.#onChange();
      if (this.#run.cancellation) await child.signal(cancelSignal, CANCEL_REASON);
      const result = await child.result();
      return { ...about, batchId: result.batchId, status: result.status, ...resultUris(result), failure: null };
    } catch (error) {
      if (!(error instanceof ChildWorkflowFailure)) throw error;
      const why = capacityRefusal(error);
      if (why !== null) return why;
      const kept = endedByOperator(error) ? await this.#keptBy(childId, part) : null;
      const failed = outcomeOfFailedPart(error, count, kept);
      this.#run.warn(`Part ${number} of round ${round} failed: ${failed.failure?.message}`);
      return { ...about, ...failed };
    } finally {
      this.#running.delete(name);
    }
  }

  /**
   * Starts the child. Where one of the same id still goes on (a former bulk of this id was terminated, and its children are cancelling),
   * waits for its end; null where a cancel comes first.
   */
  async #start(part: BulkPart, round: number, name: string, workflowId: string) {
    while (true) {
      try {
        return await startChild<typeof runBatch>('runBatch', {
          workflowId,
          args: [this.#childSpec(part), checkedInputOf(part)],
          staticSummary: `Round ${round}, part ${part.number}: ${part.requests} requests for ${part.model}`,
          memo: { [ORIGIN]: ownOrigin() },
          // A bulk that is terminated must not leave batches behind that nobody waits for.
          parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        });
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      }
      const waited = await this.#whileWaiting(name, `the end of ${workflowId}, which a former run has left`, () =>
        this.#run.untilCancelled(() => sleep(FORMER_CHILD_PAUSE_MS, { summary: `${workflowId} still goes on` })),
      );
      if (waited.interrupted || this.#run.cancellation) return null;
    }
  }

  #childSpec({ file, endpoint, resultsUri }: BulkPart): BatchSpec {
    const { completionWindow, metadata, provider, poll, vanishedAfter, stuckAfter, onAmbiguousCreate, cleanup } =
      this.#spec;
    return {
      input: { uri: file.uri },
      endpoint,
      completionWindow,
      metadata,
      provider,
      poll,
      vanishedAfter,
      stuckAfter,
      onAmbiguousCreate,
      cleanup,
      outputUri: resultsUri,
    };
  }

  /** A child that was cancelled or terminated by itself cannot say what it has: its manifest does, where there is one. */
  #keptBy(childId: string, { resultsUri }: BulkPart): Promise<BatchResult | null> {
    return runActivity(shortActivities.findPartResult, `what ${childId} has kept`, { workflowId: childId, resultsUri });
  }
}

/** The split has checked every request of the part, so that its run does not read them again. */
function checkedInputOf({ requests, model, file: { uri, bytes, sha256 } }: BulkPart): CheckedBatchInput {
  return { requests, model, file: { uri, bytes, sha256 } };
}

/** Not the run id: a reset changes it, and what was granted before is in the history with the former one. */
function leaseOf(name: string, attempt: number): string {
  const { workflowId, originalExecutionRunId } = workflowInfo();
  if (!patched('lease-by-run-and-attempt')) return `${workflowId}/${name}`;
  return `${workflowId}/${name}.${attempt}/${originalExecutionRunId}`;
}
