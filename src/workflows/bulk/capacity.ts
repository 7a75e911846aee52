/**
 * The bulk batch's side of the token budget: it requests capacity for a part, receives the grant, and returns the
 * capacity.
 */
import { condition, getExternalWorkflowHandle, isCancellation, setHandler, workflowInfo } from '@temporalio/workflow';
import type { BudgetCheck } from '../../contract/activities/token-budget.js';
import type { Part } from '../../contract/part.js';
import { tokenLimitIn } from '../../contract/refusal-reason.js';
import { budgetWorkflowId } from '../../contract/token-budget.js';
import { runActivity, shortActivities } from '../lifecycle/activity-calls.js';
import type { RunControl } from '../lifecycle/run-control.js';
import { iso } from '../lifecycle/time.js';
import { capacityGrantedSignal, capacityRefusedSignal, releaseCapacitySignal } from '../messages.js';

const MINUTE_MS = 60_000;
/** A budget that was terminated has lost its queue, so the request is repeated after this long. */
const REQUEST_AGAIN_MS = 30 * MINUTE_MS;
/** A budget with capacity grants it at once. After this long it is asked whether it is there at all. */
const FIRST_CHECK_MS = MINUTE_MS;
/** The interval after a check without an answer; it doubles with each further one. */
const CHECK_AGAIN_MS = 2 * MINUTE_MS;

type Needed = Pick<Part, 'model' | 'estimatedTokens'>;
type Budget = ReturnType<typeof getExternalWorkflowHandle>;

export interface CapacityOptions {
  readonly provider: string;
  /** Tokens that may be enqueued, for every model or by model; undefined to go by what the budget has learnt. */
  readonly enqueuedTokens?: number | Readonly<Record<string, number>> | undefined;
}

export class Capacity {
  readonly #options: CapacityOptions;
  readonly #run: RunControl;
  readonly #onChange: () => void;
  /** Leases that are granted and not yet awaited: a grant may arrive early. */
  readonly #granted = new Set<string>();
  /** Epoch ms of the last sign of the budget. */
  #heardAt = 0;
  /** Epoch ms of the first check without an answer; null where the last one was answered. */
  #silentSince: number | null = null;
  #checking: Promise<BudgetCheck> | null = null;

  constructor(options: CapacityOptions, run: RunControl, onChange: () => void) {
    this.#options = options;
    this.#run = run;
    this.#onChange = onChange;
    setHandler(
      capacityGrantedSignal,
      (lease) => {
        this.#granted.add(lease);
        this.#hear();
      },
      { description: 'From the token budget: the part of this lease may be submitted.' },
    );
  }

  /** That the budget does not answer, and what to check; null where it does. */
  get problem(): string | null {
    if (this.#silentSince === null) return null;
    const { taskQueue } = workflowInfo();
    const since = iso(Math.floor(this.#silentSince / 1_000));
    return (
      `the token budget, which has not answered since ${since}: check that a worker of task queue ${taskQueue} runs ` +
      `the workflow tokenBudget, and see the run ${this.#budgetId}`
    );
  }

  get #budgetId(): string {
    return budgetWorkflowId(workflowInfo().taskQueue, this.#options.provider);
  }

  /** Waits until the budget grants the lease; false when a cancel came first. */
  async acquire({ model, estimatedTokens: tokens }: Needed, lease: string): Promise<boolean> {
    const { provider, enqueuedTokens } = this.#options;
    const limit = typeof enqueuedTokens === 'number' ? enqueuedTokens : limitOf(enqueuedTokens ?? {}, model);
    const { workflowId: holder, originalExecutionRunId: holderRun } = workflowInfo();
    const request = { lease, holder, holderRun, model, tokens, limit };
    const summary = `Request capacity for ${tokens} tokens of ${model}`;
    const ask = () => runActivity(shortActivities.requestCapacity, summary, { provider, request });
    const granted = await this.#run.untilCancelled(async () => {
      await ask();
      let waitMs = FIRST_CHECK_MS;
      while (!(await this.#isGranted(lease, waitMs))) {
        const { answers, isReplaced } = await this.#check();
        if (isReplaced || waitMs === REQUEST_AGAIN_MS) await ask();
        waitMs = answers ? REQUEST_AGAIN_MS : Math.min(Math.max(2 * waitMs, CHECK_AGAIN_MS), REQUEST_AGAIN_MS);
      }
      this.#granted.delete(lease);
    });
    if (granted.interrupted) await this.release(lease);
    return !granted.interrupted;
  }

  /** Returns the capacity of a part whose batch has ended, or that is no longer to be submitted. */
  async release(lease: string): Promise<void> {
    await this.#signalBudget((budget) => budget.signal(releaseCapacitySignal, lease));
  }

  /** Reports that the provider had no capacity for a part, in spite of the grant. */
  async reportRefusal({ model }: Needed, lease: string, message: string): Promise<void> {
    const refusal = { lease, model, limit: tokenLimitIn(message), isOfTokens: /token/i.test(message) };
    await this.#signalBudget((budget) => budget.signal(capacityRefusedSignal, refusal));
  }

  #isGranted(lease: string, waitMs: number): Promise<boolean> {
    return condition(() => this.#granted.has(lease), waitMs, { summary: 'Until the token budget is checked' });
  }

  /** Asks the budget whether it is there. Parts that ask at the same time, or soon after a sign of it, share one check. */
  #check(): Promise<BudgetCheck> {
    if (Date.now() - this.#heardAt < CHECK_AGAIN_MS) return Promise.resolve({ answers: true, isReplaced: false });
    this.#checking ??= this.#ask().finally(() => (this.#checking = null));
    return this.#checking;
  }

  async #ask(): Promise<BudgetCheck> {
    const { provider } = this.#options;
    const silentForMs = this.#silentSince === null ? 0 : Date.now() - this.#silentSince;
    const summary = 'Check whether the token budget answers';
    const check = await runActivity(shortActivities.checkBudget, summary, { provider, silentForMs });
    if (check.answers) this.#hear();
    else {
      this.#silentSince ??= Date.now();
      this.#onChange();
    }
    return check;
  }

  #hear(): void {
    this.#heardAt = Date.now();
    if (this.#silentSince === null) return;
    this.#silentSince = null;
    this.#onChange();
  }

  /** A budget that has ended needs no signal, so failures are ignored. */
  async #signalBudget(signal: (budget: Budget) => Promise<void>): Promise<void> {
    try {
      await signal(getExternalWorkflowHandle(this.#budgetId));
    } catch (error) {
      if (isCancellation(error)) throw error;
    }
  }
}

/** The limit of a model, whose name may be that of anything. */
function limitOf(limits: Readonly<Record<string, number>>, model: string): number | null {
  return Object.hasOwn(limits, model) ? limits[model]! : null;
}
