/**
 * The account's budget of enqueued tokens and of creates per hour, shared by all bulk batches: one long-lived workflow
 * per provider. A part requests capacity before it is submitted, and its grant is a lease until its batch has ended.
 * Limits that no spec names are learnt from the provider's refusals.
 */
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import { inMarkdown } from '../contract/text.js';
import {
  isCapacityRefusal,
  isCapacityRequest,
  type BudgetState,
  type CapacityRequest,
} from '../contract/token-budget.js';
import { runActivity, shortActivities } from './lifecycle/activity-calls.js';
import { isHistoryLong } from './lifecycle/history-limit.js';
import {
  budgetQuery,
  capacityGrantedSignal,
  capacityRefusedSignal,
  releaseCapacitySignal,
  requestCapacitySignal,
} from './messages.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/**
 * No part of the model is granted capacity for this long after a refusal: the account may have other users, whose jobs
 * must end.
 */
const REFUSAL_PAUSE_MS = 10_000;
/** How often the budget looks for holders that have ended without returning their capacity. */
const HOLDER_CHECK_MS = 10 * MINUTE_MS;
/** The workflow ends after this long without leases or requests. What it has learnt is learnt again when it matters. */
const IDLE_LIMIT_MS = 24 * HOUR_MS;

/** @param state the library's own, for a run that continues an earlier one */
export async function tokenBudget(state?: BudgetState): Promise<void> {
  await new TokenBudget(state).execute();
}

class TokenBudget {
  readonly #state: BudgetState;
  /** Counts the signals that may let a part be granted. */
  #changes = 0;

  constructor(state: BudgetState = { leases: [], queue: [], limits: {}, pausedUntil: {}, grants: {} }) {
    this.#state = state;
    setHandler(requestCapacitySignal, (request) => this.#request(request), {
      description: 'Requests capacity for a part: { lease, holder, holderRun, model, tokens, limit, createsPerHour }.',
    });
    setHandler(releaseCapacitySignal, (lease) => this.#release(lease), {
      description: 'Returns the capacity of a part. Argument: its lease.',
    });
    setHandler(capacityRefusedSignal, (refusal) => this.#learnFromRefusal(refusal), {
      description: 'Reports that the provider had no capacity for a part: { lease, model, limit, isOfTokens }.',
    });
    setHandler(budgetQuery, () => this.#state, {
      description: 'Returns the leases, the queue, and the limits by model.',
    });
  }

  async execute(): Promise<void> {
    let idleMs = 0;
    while (idleMs < IDLE_LIMIT_MS) {
      // Read before granting: a signal that arrives meanwhile must end the wait below.
      const seen = this.#changes;
      this.#show();
      await this.#grantWhatFits();
      const waitMs = this.#msUntilNextTry();
      const options = { summary: 'Until the holders of capacity are checked' };
      const hasChanged = await condition(() => this.#changes !== seen, waitMs, options);
      if (hasChanged) idleMs = 0;
      else {
        idleMs = this.#holders().length === 0 ? idleMs + waitMs : 0;
        await this.#dropEndedHolders();
      }
      if (isHistoryLong()) {
        await condition(allHandlersFinished);
        await continueAsNew<typeof tokenBudget>(this.#state);
      }
    }
  }

  #request(request: unknown): void {
    // A handler that throws would stop the budget for every bulk batch of the provider.
    if (!isCapacityRequest(request)) return;
    const { lease, holder, holderRun, model, limit } = request;
    // A workflow id has one run at a time. An earlier run of this id was terminated, and has not returned its capacity.
    this.#keep((held) => held.holder !== holder || held.holderRun === holderRun);
    // A holder that requests what it holds was reset, or missed the grant: it is granted again.
    this.#state.leases = this.#state.leases.filter((held) => held.lease !== lease);
    if (this.#state.queue.some((waiting) => waiting.lease === lease)) return;
    this.#state.queue.push(request);
    if (limit !== null) this.#state.limits[model] = limit;
    this.#changes += 1;
  }

  #release(lease: string): void {
    this.#keep((held) => held.lease !== lease);
    this.#changes += 1;
  }

  #learnFromRefusal(refusal: unknown): void {
    if (!isCapacityRefusal(refusal)) return;
    const { lease, model, limit, isOfTokens } = refusal;
    this.#state.leases = this.#state.leases.filter((held) => held.lease !== lease);
    if (isOfTokens) {
      // Without a limit in the provider's message, the tokens enqueued besides this part are known to fit. At least 1.
      const learnt = limit ?? Math.min(this.#state.limits[model] ?? Infinity, this.#enqueued(model));
      this.#state.limits[model] = Math.max(1, learnt);
    }
    this.#state.pausedUntil[model] = Date.now() + REFUSAL_PAUSE_MS;
    this.#changes += 1;
  }

  /**
   * Grants in the order of the requests, by model. A part alone always fits: otherwise one above the limit would never
   * run.
   */
  async #grantWhatFits(): Promise<void> {
    const blocked = new Set<string>();
    const { queue } = this.#state;
    for (const request of queue) {
      // It was released while an earlier grant was sent.
      if (!this.#state.queue.includes(request)) continue;
      const { model, tokens, createsPerHour = Infinity } = request;
      const enqueued = this.#enqueued(model);
      const isPaused = (this.#state.pausedUntil[model] ?? 0) > Date.now();
      const fits = enqueued === 0 || enqueued + tokens <= (this.#state.limits[model] ?? Infinity);
      if (blocked.has(model) || isPaused || !fits) {
        blocked.add(model);
        continue;
      }
      if (this.#grantsInLastHour() >= createsPerHour) break;
      await this.#grant(request);
    }
  }

  async #grant(request: CapacityRequest): Promise<void> {
    const { lease, holder } = request;
    this.#state.queue = this.#state.queue.filter((waiting) => waiting.lease !== lease);
    this.#state.leases.push(request);
    const minute = startOfMinute();
    this.#state.grants[minute] = (this.#state.grants[minute] ?? 0) + 1;
    try {
      await getExternalWorkflowHandle(holder).signal(capacityGrantedSignal, lease);
    } catch {
      // The holder has ended.
      this.#state.leases = this.#state.leases.filter((held) => held.lease !== lease);
    }
  }

  /** Each grant is followed by a create. Whole minutes are counted, so the number is never too low. */
  #grantsInLastHour(): number {
    const since = startOfMinute() - HOUR_MS;
    const recent = Object.entries(this.#state.grants).filter(([minute]) => Number(minute) >= since);
    this.#state.grants = Object.fromEntries(recent);
    return recent.reduce((sum, [, count]) => sum + count, 0);
  }

  #enqueued(model: string): number {
    return this.#state.leases.filter((held) => held.model === model).reduce((sum, { tokens }) => sum + tokens, 0);
  }

  /** Until a pause ends, or a create may be allowed again, or the holders are to be checked. */
  #msUntilNextTry(): number {
    const { queue, pausedUntil } = this.#state;
    const pauses = queue.map(({ model }) => (pausedUntil[model] ?? 0) - Date.now()).filter((ms) => ms > 0);
    if (pauses.length > 0) return Math.min(...pauses);
    const isAtRate = queue.some(({ createsPerHour = Infinity }) => this.#grantsInLastHour() >= createsPerHour);
    return isAtRate ? MINUTE_MS : HOLDER_CHECK_MS;
  }

  async #dropEndedHolders(): Promise<void> {
    const workflowIds = this.#holders();
    if (workflowIds.length === 0) return;
    const summary = 'Check which holders of capacity have ended';
    const ended = new Set(await runActivity(shortActivities.closedRuns, summary, { workflowIds }));
    this.#keep(({ holder }) => !ended.has(holder));
  }

  /** Workflow ids of the bulk batches that hold capacity or wait for it. */
  #holders(): string[] {
    return [...new Set([...this.#state.leases, ...this.#state.queue].map(({ holder }) => holder))];
  }

  /** Drops the other leases and requests. */
  #keep(isKept: (request: CapacityRequest) => boolean): void {
    this.#state.leases = this.#state.leases.filter(isKept);
    this.#state.queue = this.#state.queue.filter(isKept);
  }

  #show(): void {
    const { leases, queue, limits } = this.#state;
    const models = [...new Set([...leases, ...queue].map(({ model }) => model))];
    const rows = models.map((model) => {
      const waiting = queue.filter((request) => request.model === model).length;
      return `| ${inMarkdown(model)} | ${this.#enqueued(model)} | ${limits[model] ?? 'unknown'} | ${waiting} |`;
    });
    const head = [
      '### Enqueued tokens',
      '',
      '| Model | Enqueued | Limit | Waiting parts |',
      '| --- | --- | --- | --- |',
    ];
    setCurrentDetails([...head, ...rows].join('\n'));
  }
}

/** The start of the current minute, in epoch ms. */
function startOfMinute(): number {
  return Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
}
