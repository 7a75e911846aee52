/**
 * The bulk batch's side of the token budget: it requests capacity for a part, receives the grant, and returns the
 * capacity. Also recognises a provider's refusal for want of capacity.
 */
import {
  ApplicationFailure,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  setHandler,
  workflowInfo,
  type ChildWorkflowFailure,
} from '@temporalio/workflow';
import type { BulkPart } from '../../contract/part.js';
import { budgetWorkflowId, limitInMessage } from '../../contract/token-budget.js';
import { runActivity, shortActivities } from '../lifecycle/activity-calls.js';
import type { RunControl } from '../lifecycle/run-control.js';
import { capacityGrantedSignal, capacityRefusedSignal, releaseCapacitySignal } from '../messages.js';

/** A budget that was terminated has lost its queue, so the request is repeated after this long. */
const REQUEST_AGAIN_AFTER = '30m';

type Budget = ReturnType<typeof getExternalWorkflowHandle>;

export interface CapacityOptions {
  readonly provider: string;
  /** Tokens that may be enqueued, for every model or by model; undefined to go by what the budget has learnt. */
  readonly enqueuedTokens?: number | Readonly<Record<string, number>> | undefined;
}

export class Capacity {
  readonly #options: CapacityOptions;
  readonly #run: RunControl;
  /** Leases that are granted and not yet awaited: a grant may arrive early. */
  readonly #granted = new Set<string>();

  constructor(options: CapacityOptions, run: RunControl) {
    this.#options = options;
    this.#run = run;
    setHandler(capacityGrantedSignal, (lease) => void this.#granted.add(lease), {
      description: 'From the token budget: the part of this lease may be submitted.',
    });
  }

  /** Waits until the budget grants the lease; false when a cancel came first. */
  async acquire({ model, estimatedTokens: tokens }: BulkPart, lease: string): Promise<boolean> {
    const { provider, enqueuedTokens } = this.#options;
    const limit = typeof enqueuedTokens === 'number' ? enqueuedTokens : (enqueuedTokens?.[model] ?? null);
    const { workflowId: holder, originalExecutionRunId: holderRun } = workflowInfo();
    const request = { lease, holder, holderRun, model, tokens, limit };
    const summary = `Request capacity for ${tokens} tokens of ${model}`;
    const granted = await this.#run.untilCancelled(async () => {
      do await runActivity(shortActivities.requestCapacity, summary, { provider, request });
      while (!(await this.#isGranted(lease)));
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
  async reportRefusal({ model }: BulkPart, lease: string, message: string): Promise<void> {
    const refusal = { lease, model, limit: limitInMessage(message) };
    await this.#signalBudget((budget) => budget.signal(capacityRefusedSignal, refusal));
  }

  #isGranted(lease: string): Promise<boolean> {
    const options = { summary: 'Until capacity is requested again' };
    return condition(() => this.#granted.has(lease), REQUEST_AGAIN_AFTER, options);
  }

  /** A budget that has ended needs no signal, so failures are ignored. */
  async #signalBudget(signal: (budget: Budget) => Promise<void>): Promise<void> {
    try {
      await signal(getExternalWorkflowHandle(budgetWorkflowId(workflowInfo().taskQueue, this.#options.provider)));
    } catch (error) {
      if (isCancellation(error)) throw error;
    }
  }
}

/**
 * The lease of one attempt of a part. It names the first run id, which a reset keeps, and not the current one: grants
 * that are already in the history name it too.
 */
export function leaseOf(part: string, attempt: number): string {
  const { workflowId, originalExecutionRunId } = workflowInfo();
  return `${workflowId}/${part}.${attempt}/${originalExecutionRunId}`;
}

/**
 * Codes and phrases by which providers report that too much is enqueued or spent. They are open strings, so the match
 * is loose.
 */
const NO_CAPACITY = /token_limit_exceeded|enqueued token limit|rate_limit|insufficient_quota|quota|too_many/i;

interface RefusalDetails {
  readonly status?: number;
  readonly errors?: readonly { readonly code?: string; readonly message?: string }[];
}

/** The provider's message where a part's run failed for want of capacity; null where it failed for another reason. */
export function capacityRefusal({ cause }: ChildWorkflowFailure): string | null {
  if (!(cause instanceof ApplicationFailure)) return null;
  const [details] = (cause.details ?? []) as [RefusalDetails?];
  const texts = [cause.message, ...(details?.errors ?? []).map(({ code, message }) => `${code} ${message}`)];
  const isRefusal = cause.type === 'BatchFailed' || (cause.type === 'ApiRefused' && details?.status === 429);
  return isRefusal && NO_CAPACITY.test(texts.join(' ')) ? cause.message : null;
}
