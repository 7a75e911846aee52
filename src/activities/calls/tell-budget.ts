/** Tells the token budget what a run has enqueued that did not ask it. */
import { activityInfo, getClient } from '@temporalio/activity';
import type { EnqueuedBatch } from '../../contract/activities/batch.js';
import { budgetWorkflowId, MAX_MODEL_NAME, type CapacityRequest } from '../../contract/token-budget.js';
import type { ProviderApi } from './provider-api.js';

const ANSWER_WITHIN_MS = 5_000;

/**
 * Counts the batch of this run in the token budget of its provider until the run ends. Without a budget there is no bulk
 * batch that must know of it. A run never depends on the budget, so whatever goes wrong is ignored.
 */
export async function tellBudget({ provider }: ProviderApi, batch: EnqueuedBatch): Promise<void> {
  try {
    const { taskQueue, workflowExecution } = activityInfo();
    if (!workflowExecution) return;
    const { workflowId: holder, runId } = workflowExecution;
    const model = batch.model.slice(0, MAX_MODEL_NAME);
    const lease = `${holder}/${runId}`;
    const request: CapacityRequest = { ...batch, lease, holder, model, limit: null, isCounted: true };
    const client = getClient();
    const budget = client.workflow.getHandle(budgetWorkflowId(taskQueue, provider.name));
    await client.withDeadline(Date.now() + ANSWER_WITHIN_MS, () => budget.signal('request', request));
  } catch {
    // See above.
  }
}
