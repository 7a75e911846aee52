/**
 * The token budget of an account is a workflow. These activities send requests to it and do for it what workflows
 * cannot. Their attempts wait without history, as those of a poll do.
 */
import { activityInfo, Context, getClient, log } from '@temporalio/activity';
import type { ApplicationFailure } from '@temporalio/common';
import { WorkflowNotFoundError, type WorkflowHandle } from '@temporalio/client';
import type {
  AwaitCapacityInput,
  BudgetSighting,
  HolderRun,
  TokenBudgetActivities,
} from '../contract/activities/token-budget.js';
import { askRun } from '../temporal/ask-run.js';
import { isOpenRun } from '../temporal/server.js';
import { budgetWorkflowId, type CapacityRequest, type LeaseAnswer } from '../contract/token-budget.js';
import { nothingNew } from './calls/nothing-new.js';
import { providerApi, type ProviderApi } from './calls/provider-api.js';
import { isBeingCancelled, someAtOnce, whichHaveEnded } from './calls/runs.js';
import { inTraceOfItsOwn } from './calls/traced-call.js';
import { whyStalled } from './calls/why-stalled.js';
import type { ActivityContext } from './runtime/context.js';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;

/** A budget with capacity grants it at once. After this long it is looked at, at intervals that double. */
const FIRST_LOOK_MS = MINUTE_MS;
const MAX_INTERVAL_MS = 5 * MINUTE_MS;
/** The interval while the budget is silent, or is asked again. */
const SHORT_INTERVAL_MS = 30 * SECOND_MS;
/** A silence is told when it is longer than this: a worker may be starting. */
const TOLD_AFTER_MS = 50 * SECOND_MS;
/** A budget that has been silent for this long is replaced. What it knew is learnt and requested again. */
const REPLACED_AFTER_MS = 10 * MINUTE_MS;
/** How often holders are looked at. */
const HOLDERS_INTERVAL_MS = 20 * SECOND_MS;
/** Holders that are looked at together. If there are more, they take turns. */
const HOLDERS_AT_ONCE = 100;

/** `VERSIONING_BEHAVIOR_AUTO_UPGRADE`, where a server does not know the newer field. */
const AUTO_UPGRADE = 2;

/** What one look at the budget has shown. */
type Look =
  | { readonly kind: 'answers'; readonly lease: LeaseAnswer }
  | { readonly kind: 'silent'; readonly since: number | null; readonly runId: string; readonly mayBeReplaced: boolean }
  /** There is none. */
  | { readonly kind: 'gone' };

export class TokenBudgetActivityGroup implements TokenBudgetActivities {
  readonly #context: ActivityContext;

  constructor(context: ActivityContext) {
    this.#context = context;
  }

  async requestCapacity(input: { provider: string; request: CapacityRequest }): Promise<void> {
    await sendRequest(providerApi(this.#context, input.provider), input.request);
  }

  async awaitCapacity(input: AwaitCapacityInput): Promise<BudgetSighting> {
    const api = providerApi(this.#context, input.provider);
    const { attempt } = activityInfo();
    const { request, tells } = input;
    const budget = getClient().workflow.getHandle(budgetIdOf(api));
    const look = await lookAt(budget, request.lease);
    if (look.kind === 'silent') {
      const nowMs = activityInfo().currentAttemptScheduledTimestampMs;
      // A task that fails is scheduled anew, so the budget may have been silent for longer than its task tells.
      const since = Math.min(look.since ?? nowMs, silentSinceDetails() ?? nowMs);
      Context.current().heartbeat({ silentSince: since });
      const silentForMs = nowMs - since;
      const isReplaced = silentForMs >= REPLACED_AFTER_MS && look.mayBeReplaced;
      if (isReplaced) await terminate(budget.workflowId, look.runId);
      // Also where the budget has nothing to do: what it does not do from now on tells how long it is silent.
      if (isReplaced || look.since === null) await sendRequest(api, request);
      if (tells && silentForMs >= TOLD_AFTER_MS && !input.isSilent) return { silentSince: since };
      throw notYet('the budget does not answer', SHORT_INTERVAL_MS);
    }
    if (silentSinceDetails() !== null) Context.current().heartbeat({ silentSince: null });
    const isWaiting = look.kind === 'answers' && look.lease.status === 'waiting';
    // A lease that is held: its grant was lost. One that is not known: the budget is a new one, or had no space.
    if (!isWaiting) await sendRequest(api, request);
    if (tells && input.isSilent && look.kind === 'answers') return { silentSince: null };
    const status = isWaiting ? `waits for ${look.lease.waitsFor ?? 'the budget'}` : 'requested again';
    const interval = isWaiting ? FIRST_LOOK_MS : SHORT_INTERVAL_MS;
    throw notYet(status, Math.min(interval * 2 ** Math.min(attempt - 1, 10), MAX_INTERVAL_MS));
  }

  async watchHolders({ holders }: { holders: readonly HolderRun[] }): Promise<HolderRun[]> {
    const ended = await whichHaveEnded(ofThisTurn(holders));
    // The bulk batches have no turns: there are few, and one that was terminated may hold all the room.
    await cancelAbandoned(holders.filter((holder) => !ended.includes(holder)));
    if (ended.length > 0) return ended;
    throw notYet('all run', HOLDERS_INTERVAL_MS);
  }

  async followDeployments(): Promise<void> {
    const { workflowService, options } = getClient();
    const request = {
      namespace: options.namespace,
      workflowExecution: activityInfo().workflowExecution,
      workflowExecutionOptions: { versioningOverride: { autoUpgrade: true, behavior: AUTO_UPGRADE } },
      updateMask: { paths: ['versioning_override'] },
    };
    // A server without versions has nothing to follow.
    await workflowService.updateWorkflowExecutionOptions(request).catch((error: unknown) => {
      log.info('The token budget keeps the versioning of its worker', { reason: String(error) });
    });
  }

  async whyStalled(input: { workflowId: string }): Promise<string | null> {
    return whyStalled(input.workflowId);
  }
}

/** By the clock: the watch begins anew whenever there are others to watch, and must not look at the first ones only. */
function ofThisTurn(holders: readonly HolderRun[]): readonly HolderRun[] {
  const turns = Math.max(1, Math.ceil(holders.length / HOLDERS_AT_ONCE));
  const turn = Math.floor(Date.now() / HOLDERS_INTERVAL_MS) % turns;
  return holders.slice(turn * HOLDERS_AT_ONCE, (turn + 1) * HOLDERS_AT_ONCE);
}

/** Cancels the parts of bulk batches that have ended. They keep what they have, and return their capacity. */
async function cancelAbandoned(parts: readonly HolderRun[]): Promise<void> {
  const bulks = new Map<string, HolderRun>();
  for (const { group, groupRun } of parts) {
    if (group !== undefined && groupRun !== undefined) {
      bulks.set(`${group} ${groupRun}`, { holder: group, holderRun: groupRun });
    }
  }
  const ended = new Set((await whichHaveEnded([...bulks.values()])).map((bulk) => `${bulk.holder} ${bulk.holderRun}`));
  const abandoned = parts.filter(({ group, groupRun }) => ended.has(`${group} ${groupRun}`));
  await someAtOnce(ofThisTurn(abandoned), async ({ holder }) => {
    if (await isBeingCancelled(holder)) return;
    await getClient()
      .workflow.getHandle(holder)
      .signal('cancel', 'its bulk batch has ended')
      .catch((error: unknown) => {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      });
  });
}

/** Since when the last attempts had no answer, in epoch ms; null where the last one had. */
function silentSinceDetails(): number | null {
  const details = activityInfo().heartbeatDetails as { readonly silentSince?: unknown } | undefined;
  return typeof details?.silentSince === 'number' ? details.silentSince : null;
}

const budgetIdOf = ({ provider }: ProviderApi): string => budgetWorkflowId(activityInfo().taskQueue, provider.name);

/** What the budget is to know of the account, with each request. */
function withTraits({ provider }: ProviderApi, request: CapacityRequest): CapacityRequest {
  const { createsPerHour, reservedShare } = provider.batchLimits;
  return { ...request, createsPerHour, reservedShare };
}

async function sendRequest(api: ProviderApi, request: CapacityRequest): Promise<void> {
  const { taskQueue } = activityInfo();
  const { workflow } = getClient();
  const start = () =>
    workflow.signalWithStart('tokenBudget', {
      workflowId: budgetIdOf(api),
      taskQueue,
      args: [],
      signal: 'request',
      signalArgs: [withTraits(api, request)],
      // One run serves the bulk batches of all deployments. Pinned to the one that happened to start it, it would answer
      // nobody once that one is gone. The server refuses an option of the workflow where workers are not versioned, and a
      // workflow cannot see whether its worker is: with `useWorkerVersioning: false`, it has a version all the same.
      versioningOverride: 'AUTO_UPGRADE',
      staticSummary: `Enqueued tokens at provider ${api.provider.name}`,
    });
  await inTraceOfItsOwn(start);
}

async function lookAt(budget: WorkflowHandle, lease: string): Promise<Look> {
  try {
    const { status, runId, raw } = await budget.describe();
    if (!isOpenRun(status.name)) return { kind: 'gone' };
    const answer = await answerOf(budget, lease);
    if (answer !== null) return { kind: 'answers', lease: answer };
    // The task that no worker has completed tells since when.
    const { originalScheduledTime, scheduledTime } = raw.pendingWorkflowTask ?? {};
    const seconds = Number(originalScheduledTime?.seconds ?? scheduledTime?.seconds ?? 0);
    // An operator may have paused it.
    const mayBeReplaced = status.name === 'RUNNING';
    return { kind: 'silent', since: seconds > 0 ? seconds * SECOND_MS : null, runId, mayBeReplaced };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { kind: 'gone' };
    throw error;
  }
}

async function terminate(workflowId: string, runId: string): Promise<void> {
  const budget = getClient().workflow.getHandle(workflowId, runId);
  await budget.terminate('no worker runs it; a new one takes over').catch((error: unknown) => {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  });
}

/** Null without an answer. A query is answered by a worker, not by the server. */
async function answerOf(budget: WorkflowHandle, lease: string): Promise<LeaseAnswer | null> {
  try {
    return await askRun<LeaseAnswer>(getClient(), budget.workflowId, 'lease', lease);
  } catch {
    return null;
  }
}

function notYet(status: string, nextLookMs: number): ApplicationFailure {
  const checkedAt = Math.floor(activityInfo().currentAttemptScheduledTimestampMs / SECOND_MS);
  return nothingNew(status, { status, checkedAt }, nextLookMs);
}
