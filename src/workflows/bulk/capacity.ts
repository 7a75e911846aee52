/**
 * A run's side of the token budget: it requests capacity for a part, receives the grant, and returns the capacity.
 */
import { CancellationScope, condition, setHandler, workflowInfo } from '@temporalio/workflow';
import type { BudgetSighting } from '../../contract/activities/token-budget.js';
import type { Part } from '../../contract/part.js';
import { enqueuedLimitIn } from '../../contract/refusal-reason.js';
import { budgetWorkflowId, MAX_MODEL_NAME, type CapacityRecord } from '../../contract/token-budget.js';
import { runActivity, shortActivities, temporalActivities } from '../lifecycle/activity-calls.js';
import type { RunControl } from '../lifecycle/run-control.js';
import { signalRun } from '../lifecycle/signal-run.js';
import { iso } from '../lifecycle/time.js';
import {
  capacityGrantedSignal,
  capacityHeldSignal,
  capacityRefusedSignal,
  releaseCapacitySignal,
  tellCapacitySignal,
} from '../messages.js';

/** How long a part waits before its request is looked after. */
const FIRST_LOOK_MS = 60_000;

/** What the budget counts of a part. */
export type CountedPart = Pick<Part, 'model' | 'estimatedTokens' | 'requests'>;

export interface CapacityOptions {
  readonly provider: string;
  /** Tokens of the model that may be enqueued; null to go by what the budget has learnt. */
  readonly enqueuedTokens: number | null;
  /** @default 1 */
  readonly priority?: number | undefined;
  /**
   * What shares the room with others: the workflow id of the bulk batch.
   * @default this run
   */
  readonly group?: string | undefined;
  /** The first run id of the bulk batch's chain. */
  readonly groupRun?: string | undefined;
}

export class Capacity {
  readonly #options: CapacityOptions;
  readonly #run: RunControl;
  readonly #onChange: () => void;
  /** Leases that are granted and not yet awaited: a grant may arrive early. */
  readonly #granted = new Set<string>();
  /** What this run has told, or would tell, the budget that it holds, by lease. */
  readonly #held = new Map<string, CapacityRecord>();
  /** Leases whose wait was interrupted. */
  readonly #givenUp = new Set<string>();
  /** Epoch ms since when the budget does not answer; null where it does. */
  #silentSince: number | null = null;
  /** The lease whose wait tells of a silent budget, so that not every part does. */
  #teller: string | null = null;

  constructor(options: CapacityOptions, run: RunControl, onChange: () => void) {
    this.#options = options;
    this.#run = run;
    this.#onChange = onChange;
    setHandler(
      capacityGrantedSignal,
      (...leases) => {
        for (const lease of leases) this.#receive(lease);
        this.#hear(null);
      },
      { description: 'From the token budget: the parts of these leases may be submitted.' },
    );
    setHandler(tellCapacitySignal, () => this.#tellHeld(), {
      description: 'From the token budget: asks which leases this run holds.',
    });
  }

  /** That the budget does not answer, and what to check; null where it does. */
  get problem(): string | null {
    if (this.#silentSince === null) return null;
    const { taskQueue } = workflowInfo();
    const since = iso(Math.floor(this.#silentSince / 1_000));
    return (
      `the token budget, which has not answered since ${since}: check that a worker of task queue ${taskQueue} runs ` +
      `the workflow tokenBudget, and see the run ${this.budgetId}`
    );
  }

  get budgetId(): string {
    return budgetWorkflowId(workflowInfo().taskQueue, this.#options.provider);
  }

  /** Waits until the budget grants the lease; false when a cancel came first. */
  async acquire(part: CountedPart, lease: string): Promise<boolean> {
    const record = this.#recordOf(part, lease);
    const granted = await this.#run.untilCancelled(() => this.#untilGranted(record));
    if (this.#teller === lease) this.#teller = null;
    if (granted.interrupted) {
      this.#givenUp.add(lease);
      await this.release(lease);
      return false;
    }
    this.#granted.delete(lease);
    this.#held.set(lease, record);
    return true;
  }

  /** Returns the capacity of a part whose batch has ended, or that is no longer to be submitted. */
  async release(lease: string): Promise<void> {
    this.#held.delete(lease);
    await signalRun(this.budgetId, releaseCapacitySignal, lease);
  }

  /** Reports that the provider had no capacity for a part, in spite of the grant. */
  async reportRefusal({ model }: Pick<CountedPart, 'model'>, lease: string, message: string): Promise<void> {
    this.#held.delete(lease);
    const { unit = null, limit = null } = enqueuedLimitIn(message) ?? {};
    const refusal = { lease, model: model.slice(0, MAX_MODEL_NAME), unit, limit };
    await signalRun(this.budgetId, capacityRefusedSignal, refusal);
  }

  #recordOf({ model, estimatedTokens: tokens, requests }: CountedPart, lease: string): CapacityRecord {
    const { enqueuedTokens, priority, group, groupRun } = this.#options;
    const { workflowId: holder, firstExecutionRunId: holderRun } = workflowInfo();
    return {
      lease,
      holder,
      holderRun,
      ...(group !== undefined && { group }),
      ...(groupRun !== undefined && { groupRun }),
      model: model.slice(0, MAX_MODEL_NAME),
      tokens,
      requests,
      limit: enqueuedTokens,
      ...(priority !== undefined && { weight: priority }),
    };
  }

  /** A budget with capacity grants it at once. Otherwise attempts of an activity look after the request, without history. */
  async #untilGranted(record: CapacityRecord): Promise<void> {
    const { lease, tokens, model } = record;
    const { provider } = this.#options;
    const request = { ...record, holding: this.#held.size };
    const summary = `Request capacity for ${tokens} tokens of ${model}`;
    // Not cancelled: the server that skips time loses a run whose activity is cancelled as it ends.
    await CancellationScope.nonCancellable(() =>
      runActivity(temporalActivities.requestCapacity, summary, { provider, request }),
    );
    const options = { summary: 'Until the request for capacity is looked after' };
    if (await condition(() => this.#granted.has(lease), FIRST_LOOK_MS, options)) return;
    while (!this.#granted.has(lease)) {
      this.#teller ??= lease;
      const input = {
        provider,
        request: { ...record, holding: this.#held.size },
        tells: this.#teller === lease,
        isSilent: this.#silentSince !== null,
      };
      const sighting = await this.#untilGrantedOr(lease, () =>
        runActivity(shortActivities.awaitCapacity, `Wait for capacity for ${tokens} tokens of ${model}`, input),
      );
      if (sighting) this.#hear(sighting.silentSince);
    }
  }

  /** Null if the grant came first: then the work is cancelled. */
  async #untilGrantedOr(lease: string, work: () => Promise<BudgetSighting>): Promise<BudgetSighting | null> {
    const scope = new CancellationScope();
    try {
      return await scope.run(() => {
        const waits = [condition(() => this.#granted.has(lease)).then(() => null), work()];
        // The one that loses is cancelled.
        for (const wait of waits) wait.catch(() => undefined);
        return Promise.race(waits);
      });
    } finally {
      scope.cancel();
    }
  }

  #receive(lease: string): void {
    if (!this.#givenUp.has(lease)) this.#granted.add(lease);
    // The request was still under way when the wait for it was interrupted.
    else void this.release(lease);
  }

  #hear(silentSince: number | null): void {
    if (this.#silentSince === silentSince) return;
    this.#silentSince = silentSince;
    this.#onChange();
  }

  #tellHeld(): void {
    if (this.#held.size === 0) return;
    const held = [...this.#held.values()];
    void signalRun(this.budgetId, capacityHeldSignal, held);
  }
}
