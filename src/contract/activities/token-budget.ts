import type { CapacityRequest } from '../token-budget.js';

export interface TokenBudgetActivities {
  /** Asks the provider's budget for capacity, and starts the budget if it is not running. The answer comes as a signal. */
  requestRoom(input: { provider: string; request: CapacityRequest }): Promise<void>;
  /** Which of these runs have ended, or never existed. */
  closedRuns(input: { workflowIds: string[] }): Promise<string[]>;
}
