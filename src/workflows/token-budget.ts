/**
 * The account's budget of enqueued tokens, shared by all bulk runs: one workflow a provider, which outlives them. A part asks for
 * room before it is submitted and gives it back when its batch has ended. What the provider's refusals say is learnt.
 */
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  getExternalWorkflowHandle,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { inMarkdown } from '../contract/text.js';
import type { BudgetState, CapacityRequest, CapacityRefusal } from '../contract/token-budget.js';
import { runActivity, shortActivities } from './lifecycle/activity-calls.js';

export const requestCapacitySignal = defineSignal<[CapacityRequest]>('request');
export const releaseCapacitySignal = defineSignal<[lease: string]>('release');
export const capacityRefusedSignal = defineSignal<[CapacityRefusal]>('refused');
/** Sent to the run that asked: its part may be submitted. */
export const capacityGrantedSignal = defineSignal<[lease: string]>('room');
export const budgetQuery = defineQuery<BudgetState>('budget');

/** After a refusal nothing more is submitted for the model for this long, in ms: other users of the account need not be ours. */
const PAUSE_MS = 60_000;
/** How often holders are looked up that may have ended without giving their room back. */
const CHECK_EVERY = '10m';
/** Idle for this long, the workflow ends; what it learnt is learnt again when it matters. */
const IDLE_CHECKS = 24 * 6;
const MAX_HISTORY = 4_000;

export async function tokenBudget(
  state: BudgetState = { leases: [], queue: [], limits: {}, pausedUntil: {} },
): Promise<void> {
  let news = 0;
  setHandler(
    requestCapacitySignal,
    (request) => {
      forgetFormerRun(state, request);
      // Who asks for what it holds was reset, or did not hear: it is told again.
      state.leases = state.leases.filter(({ lease }) => lease !== request.lease);
      if (state.queue.some(({ lease }) => lease === request.lease)) return;
      state.queue.push(request);
      if (request.limit !== null) state.limits[request.model] = request.limit;
      news += 1;
    },
    { description: 'A part asks for room: { lease, holder, model, tokens, limit }.' },
  );
  setHandler(
    releaseCapacitySignal,
    (lease) => {
      state.leases = state.leases.filter((held) => held.lease !== lease);
      state.queue = state.queue.filter((waiting) => waiting.lease !== lease);
      news += 1;
    },
    { description: 'Gives the room of a part back.' },
  );
  setHandler(
    capacityRefusedSignal,
    ({ lease, model, limit }) => {
      const others = enqueued(state, model) - (state.leases.find((held) => held.lease === lease)?.tokens ?? 0);
      // The provider's own number, or else what was there without this part; never nothing, or nobody would go on.
      state.limits[model] = Math.max(1, limit ?? Math.min(state.limits[model] ?? Infinity, others));
      state.pausedUntil[model] = Date.now() + PAUSE_MS;
      state.leases = state.leases.filter((held) => held.lease !== lease);
      news += 1;
    },
    { description: 'The provider refused a part for want of room: { lease, model, limit }.' },
  );
  setHandler(budgetQuery, () => state, { description: 'Leases, queue and limits by model.' });

  let idle = 0;
  while (idle < IDLE_CHECKS) {
    // Before granting: what comes in meanwhile must not be slept over.
    const seen = news;
    show(state);
    await grant(state);
    const wasNews = await condition(() => news !== seen, nextLook(state), { summary: 'or look after the holders' });
    if (wasNews) idle = 0;
    else {
      idle = state.leases.length + state.queue.length === 0 ? idle + 1 : 0;
      await dropTheGone(state);
    }
    if (workflowInfo().continueAsNewSuggested || workflowInfo().historyLength > MAX_HISTORY) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof tokenBudget>(state);
    }
  }
}

/** A workflow id has one run at a time: the one that asks. One before it was terminated, and gave nothing back. */
function forgetFormerRun(state: BudgetState, { holder, holderRun }: CapacityRequest): void {
  const isOfNow = (held: CapacityRequest) => held.holder !== holder || held.holderRun === holderRun;
  state.leases = state.leases.filter(isOfNow);
  state.queue = state.queue.filter(isOfNow);
}

/** Grants what fits, first come first served by model; one part alone always fits, or it would wait for ever. */
async function grant(state: BudgetState): Promise<void> {
  const blocked = new Set<string>();
  const queue = state.queue;
  for (const request of queue) {
    const { model, tokens, lease, holder } = request;
    const held = enqueued(state, model);
    const isPaused = (state.pausedUntil[model] ?? 0) > Date.now();
    const fits = held === 0 || held + tokens <= (state.limits[model] ?? Infinity);
    if (blocked.has(model) || isPaused || !fits) {
      blocked.add(model);
      continue;
    }
    if (grantsInLastHour(state) >= (request.createsPerHour ?? Infinity)) break;
    state.queue = state.queue.filter((waiting) => waiting.lease !== lease);
    state.leases.push(request);
    countGrant(state);
    try {
      await getExternalWorkflowHandle(holder).signal(capacityGrantedSignal, lease);
    } catch {
      // The run is gone; so is its wish.
      state.leases = state.leases.filter((kept) => kept.lease !== lease);
    }
  }
}

const MINUTE_MS = 60_000;
const HOUR = 60;
const minute = (): number => Math.floor(Date.now() / MINUTE_MS);

/** Each grant is a create soon after. A minute counts whole, so never too few. */
function grantsInLastHour(state: BudgetState): number {
  const since = minute() - HOUR;
  const recent = Object.entries(state.grants ?? {}).filter(([at]) => Number(at) >= since);
  state.grants = Object.fromEntries(recent);
  return recent.reduce((sum, [, count]) => sum + count, 0);
}

function countGrant(state: BudgetState): void {
  const grants = (state.grants ??= {});
  grants[minute()] = (grants[minute()] ?? 0) + 1;
}

function enqueued(state: BudgetState, model: string): number {
  return state.leases.filter((held) => held.model === model).reduce((sum, { tokens }) => sum + tokens, 0);
}

function nextLook(state: BudgetState): number | '10m' {
  const pauses = state.queue.map(({ model }) => (state.pausedUntil[model] ?? 0) - Date.now()).filter((ms) => ms > 0);
  if (pauses.length > 0) return Math.min(...pauses);
  const isAtRate = state.queue.some(({ createsPerHour = Infinity }) => grantsInLastHour(state) >= createsPerHour);
  return isAtRate ? MINUTE_MS : CHECK_EVERY;
}

async function dropTheGone(state: BudgetState): Promise<void> {
  const holders = [...new Set([...state.leases, ...state.queue].map(({ holder }) => holder))];
  if (holders.length === 0) return;
  const gone = new Set(await runActivity(shortActivities.closedRuns, 'who still runs?', { workflowIds: holders }));
  state.leases = state.leases.filter(({ holder }) => !gone.has(holder));
  state.queue = state.queue.filter(({ holder }) => !gone.has(holder));
}

function show(state: BudgetState): void {
  const models = [...new Set([...state.leases, ...state.queue].map(({ model }) => model))];
  setCurrentDetails(
    [
      '### Enqueued tokens',
      '',
      '| Model | Enqueued | Limit | Waiting parts |',
      '| --- | --- | --- | --- |',
      ...models.map((model) => {
        const waiting = state.queue.filter((request) => request.model === model).length;
        return `| ${inMarkdown(model)} | ${enqueued(state, model)} | ${state.limits[model] ?? 'not known'} | ${waiting} |`;
      }),
    ].join('\n'),
  );
}
