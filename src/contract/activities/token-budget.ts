import type { CapacityRequest } from '../token-budget.js';

export interface TokenBudgetActivities {
  /** Requests capacity of the provider's token budget, and starts the budget if it is not running. A signal answers. */
  requestCapacity(input: { provider: string; request: CapacityRequest }): Promise<void>;
  /** Which of these runs have ended, or never existed. */
  closedRuns(input: { workflowIds: string[] }): Promise<string[]>;
}
