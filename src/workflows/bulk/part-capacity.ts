/** The capacity that the run of a part holds in the token budget, from before its upload until its batch has ended. */
import { ApplicationFailure, workflowInfo } from '@temporalio/workflow';
import type { BatchResult, CheckedBatchInput, ParsedBatchSpec } from '../../contract/batch.js';
import { asRunFailure } from '../lifecycle/run-failures.js';
import type { RunControl } from '../lifecycle/run-control.js';
import { Capacity } from './capacity.js';
import { refusalIn } from './part-report.js';

type Needed = NonNullable<CheckedBatchInput['capacity']>;

/** What a part waits for first. */
const CAPACITY = 'capacity in the budget of tokens and creates';

export class PartCapacity {
  readonly #capacity: Capacity;
  readonly #part: { readonly model: string; readonly estimatedTokens: number };
  readonly #run: RunControl;
  readonly #lease: string;
  #isWaiting = false;

  constructor(model: string | null, needed: Needed, { provider }: ParsedBatchSpec, run: RunControl) {
    const { workflowId, originalExecutionRunId } = workflowInfo();
    const { estimatedTokens, enqueuedTokens } = needed;
    this.#part = { model: model ?? '', estimatedTokens };
    this.#run = run;
    // The first run id, which a reset keeps.
    this.#lease = `${workflowId}/${originalExecutionRunId}`;
    this.#capacity = new Capacity({ provider, enqueuedTokens: enqueuedTokens ?? undefined }, run, () => run.onChange());
  }

  /** Null where it does not wait. */
  get waitingFor(): string | null {
    return this.#isWaiting ? (this.#capacity.problem ?? CAPACITY) : null;
  }

  /** Waits until the part may be submitted; false when a cancel came first. */
  async acquire(): Promise<boolean> {
    this.#isWaiting = true;
    this.#run.onChange();
    try {
      return await this.#capacity.acquire(this.#part, this.#lease);
    } finally {
      this.#isWaiting = false;
      this.#run.onChange();
    }
  }

  /** Does the work, and returns the capacity however it ends. */
  async returningIt(work: () => Promise<BatchResult>): Promise<BatchResult> {
    try {
      const result = await work();
      await this.#capacity.release(this.#lease);
      return result;
    } catch (error) {
      const failure = asRunFailure(error);
      // Any other error does not end the run.
      if (failure instanceof ApplicationFailure) {
        const refusal = refusalIn(failure);
        if (refusal?.reason === 'room') {
          await this.#capacity.reportRefusal(this.#part, this.#lease, refusal.message);
        } else await this.#capacity.release(this.#lease);
      }
      throw error;
    }
  }
}
