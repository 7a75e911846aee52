/** The capacity that the run of a part holds in the token budget, from before its upload until its batch has ended. */
import { ApplicationFailure, condition, setHandler, workflowInfo } from '@temporalio/workflow';
import type { BatchResult, CheckedBatchInput } from '../../contract/batch.js';
import { PART_OF, type PartOf } from '../../contract/part-report.js';
import { leaseOf } from '../../contract/token-budget.js';
import { asRunFailure } from '../lifecycle/run-failures.js';
import type { RunControl } from '../lifecycle/run-control.js';
import { holdSignal } from '../messages.js';
import { Capacity, type CountedPart } from './capacity.js';
import { refusalIn } from './part-report.js';

type Needed = NonNullable<CheckedBatchInput['capacity']>;

const PAUSED = 'the bulk batch to be resumed';

export class PartCapacity {
  readonly #capacity: Capacity;
  readonly #part: CountedPart;
  readonly #run: RunControl;
  readonly #lease: string;
  #isWaiting = false;
  /** Set when the capacity is given back. */
  #returned: Promise<void> | null = null;
  /** Whether the bulk batch is paused. */
  #isHeld = false;

  constructor({ model, requests }: CheckedBatchInput, needed: Needed, provider: string, run: RunControl) {
    const { workflowId, firstExecutionRunId, memo } = workflowInfo();
    const { estimatedTokens, enqueuedTokens, priority } = needed;
    this.#part = { model: model ?? '', estimatedTokens, requests };
    this.#run = run;
    this.#lease = leaseOf(workflowId, firstExecutionRunId);
    setHandler(
      holdSignal,
      (isHeld: unknown) => {
        this.#isHeld = isHeld === true;
        run.onChange();
      },
      { description: 'From the bulk batch: whether it is paused, so that no batch is created.' },
    );
    const { bulk: group, bulkRun: groupRun } = (memo?.[PART_OF] as PartOf | undefined) ?? {};
    const options = { provider, enqueuedTokens, priority, group, groupRun };
    this.#capacity = new Capacity(options, run, () => run.onChange());
  }

  /** Null where it does not wait. */
  get waitingFor(): string | null {
    if (!this.#isWaiting) return null;
    return this.#isHeld
      ? PAUSED
      : (this.#capacity.problem ?? `capacity, which the token budget grants: see the run ${this.#capacity.budgetId}`);
  }

  /** Waits until the part may be submitted; false when a cancel came first. */
  async acquire(): Promise<boolean> {
    this.#isWaiting = true;
    this.#run.onChange();
    try {
      while (true) {
        await this.#run.untilCancelled(() => condition(() => !this.#isHeld));
        if (!(await this.#capacity.acquire(this.#part, this.#lease))) return false;
        if (!this.#isHeld) return true;
        // Others may use the capacity meanwhile.
        await this.#capacity.release(this.#lease);
      }
    } finally {
      this.#isWaiting = false;
      this.#run.onChange();
    }
  }

  /** A batch that has ended enqueues nothing, however long its results take. */
  batchHasEnded(): void {
    void this.#return();
  }

  /** Does the work, and returns the capacity however it ends. */
  async returningIt(work: () => Promise<BatchResult>): Promise<BatchResult> {
    try {
      const result = await work();
      await this.#return();
      return result;
    } catch (error) {
      const failure = asRunFailure(error);
      // Any other error does not end the run.
      if (failure instanceof ApplicationFailure) {
        const refusal = refusalIn(failure);
        if (refusal?.reason === 'room') {
          await this.#capacity.reportRefusal(this.#part, this.#lease, refusal.message);
        } else await this.#return();
      }
      throw error;
    }
  }

  #return(): Promise<void> {
    this.#returned ??= this.#capacity.release(this.#lease);
    return this.#returned;
  }
}
