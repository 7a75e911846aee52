import type { Client } from '@temporalio/client';
import { budgetWorkflowId, type BudgetState } from '../../src/contract/token-budget.js';

interface Queue {
  readonly client: Client;
  readonly taskQueue: string;
}

const EMPTY: Pick<BudgetState, 'leases' | 'queue' | 'isEnding'> = { leases: [], queue: [], isEnding: false };

/** The token budget of the default provider. */
export function budgetOf({ client, taskQueue }: Queue) {
  return client.workflow.getHandle(budgetWorkflowId(taskQueue, 'default'));
}

/** What the budget holds; nothing where there is no budget yet. */
export function budgetState(queue: Queue): Promise<typeof EMPTY> {
  return budgetOf(queue)
    .query<BudgetState>('budget')
    .catch(() => EMPTY);
}
