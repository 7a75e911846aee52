/**
 * The token budget of an account is a workflow. These activities send requests to it and do for it what workflows
 * cannot.
 */
import { activityInfo, getClient } from '@temporalio/activity';
import { WorkflowNotFoundError, type WorkflowHandle } from '@temporalio/client';
import type { BudgetCheck, TokenBudgetActivities } from '../contract/activities/token-budget.js';
import { budgetWorkflowId, type CapacityRequest } from '../contract/token-budget.js';
import { providerApi } from './calls/provider-api.js';
import { isClosed } from './calls/runs.js';
import { whyStalled } from './calls/why-stalled.js';
import type { ActivityContext } from './runtime/context.js';

/** How long the budget may take to answer a query. */
const ANSWER_WITHIN_MS = 10_000;

/** A budget that has been silent for this long is replaced. What it knew is learnt and requested again. */
const REPLACED_AFTER_MS = 10 * 60_000;

export class TokenBudgetActivityGroup implements TokenBudgetActivities {
  readonly #context: ActivityContext;

  constructor(context: ActivityContext) {
    this.#context = context;
  }

  async requestCapacity(input: { provider: string; request: CapacityRequest }): Promise<void> {
    const { provider } = providerApi(this.#context, input.provider);
    const { taskQueue } = activityInfo();
    await getClient().workflow.signalWithStart('tokenBudget', {
      workflowId: budgetWorkflowId(taskQueue, input.provider),
      taskQueue,
      args: [],
      signal: 'request',
      signalArgs: [{ ...input.request, createsPerHour: provider.batchLimits.createsPerHour }],
      // One run serves the bulk batches of all deployments. Pinned to the one that happened to start it, it would answer
      // nobody once that one is gone. An option of the workflow would be refused where workers are not versioned.
      versioningOverride: 'AUTO_UPGRADE',
      staticSummary: `Enqueued tokens at provider ${input.provider}`,
    });
  }

  async checkBudget(input: { provider: string; silentForMs: number }): Promise<BudgetCheck> {
    const { taskQueue } = activityInfo();
    const budget = getClient().workflow.getHandle(budgetWorkflowId(taskQueue, input.provider));
    const answers = await doesAnswer(budget);
    const isSilent = !answers && input.silentForMs >= REPLACED_AFTER_MS;
    const isReplaced = isSilent && (await terminateIfSilent(budget, input.silentForMs));
    return { answers, isReplaced };
  }

  async closedRuns(input: { workflowIds: string[] }): Promise<string[]> {
    const closed: string[] = [];
    for (const workflowId of input.workflowIds) if (await isClosed(workflowId)) closed.push(workflowId);
    return closed;
  }
  async whyStalled(input: { workflowId: string }): Promise<string | null> {
    return whyStalled(input.workflowId);
  }
}

/** Whether a worker runs the budget. A query is answered by a worker, not by the server. */
async function doesAnswer(budget: WorkflowHandle): Promise<boolean> {
  try {
    await getClient().withDeadline(Date.now() + ANSWER_WITHIN_MS, () => budget.query('budget'));
    return true;
  } catch {
    return false;
  }
}

/** Terminates a budget that was there for all of the silence. Times are those of the Temporal server. */
async function terminateIfSilent(budget: WorkflowHandle, silentForMs: number): Promise<boolean> {
  try {
    const { startTime, status, runId } = await budget.describe();
    const ageMs = activityInfo().currentAttemptScheduledTimestampMs - startTime.getTime();
    if (status.name !== 'RUNNING' || ageMs < silentForMs) return false;
    await getClient().workflow.getHandle(budget.workflowId, runId).terminate('no worker runs it; a new one takes over');
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
