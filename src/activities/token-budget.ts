/** The account's token budget is a workflow; these activities speak to it and look after it. */
import { activityInfo, getClient } from '@temporalio/activity';
import { WorkflowNotFoundError } from '@temporalio/client';
import { budgetWorkflowId, type CapacityRequest } from '../contract/token-budget.js';
import { providerApi } from './calls/provider-api.js';
import type { ActivityContext } from './runtime/context.js';

export function tokenBudgetActivities(toolbox: ActivityContext) {
  return {
    /** Asks the provider's budget for room, and starts the budget if it is not there yet. The answer comes as a signal. */
    async requestRoom(input: { provider: string; request: CapacityRequest }): Promise<void> {
      const { provider } = providerApi(toolbox, input.provider);
      await getClient().workflow.signalWithStart('tokenBudget', {
        workflowId: budgetWorkflowId(activityInfo().taskQueue, input.provider),
        taskQueue: activityInfo().taskQueue,
        args: [],
        signal: 'request',
        signalArgs: [{ ...input.request, createsPerHour: provider.batchLimits.createsPerHour }],
        staticSummary: `Enqueued tokens at provider ${input.provider}`,
      });
    },

    /** Which of these runs are over, or were never there. */
    async closedRuns(input: { workflowIds: string[] }): Promise<string[]> {
      const closed: string[] = [];
      for (const workflowId of input.workflowIds) {
        try {
          const { status } = await getClient().workflow.getHandle(workflowId).describe();
          if (status.name !== 'RUNNING') closed.push(workflowId);
        } catch (error) {
          if (!(error instanceof WorkflowNotFoundError)) throw error;
          closed.push(workflowId);
        }
      }
      return closed;
    },
  };
}
