/**
 * The token budget of an account is a workflow. These activities send requests to it and do for it what workflows
 * cannot.
 */
import { activityInfo, getClient } from '@temporalio/activity';
import type { TokenBudgetActivities } from '../contract/activities/token-budget.js';
import { budgetWorkflowId, type CapacityRequest } from '../contract/token-budget.js';
import { providerApi } from './calls/provider-api.js';
import { isClosed } from './calls/runs.js';
import { whyStalled } from './calls/why-stalled.js';
import type { ActivityContext } from './runtime/context.js';

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
      staticSummary: `Enqueued tokens at provider ${input.provider}`,
    });
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
