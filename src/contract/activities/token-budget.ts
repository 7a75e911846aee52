import type { CapacityRequest } from '../token-budget.js';

export interface TokenBudgetActivities {
  /** Requests capacity of the provider's token budget, and starts the budget if it is not running. A signal answers. */
  requestCapacity(input: { provider: string; request: CapacityRequest }): Promise<void>;
  /** Which of these runs have ended, or never existed. */
  closedRuns(input: { workflowIds: string[] }): Promise<string[]>;
  /**
   * Why a run does not get on although it should: the failure of its workflow tasks, such as a workflow type that its
   * worker does not have, or that no worker takes them; null if nothing is wrong.
   */
  whyStalled(input: { workflowId: string }): Promise<string | null>;
}
