import type { CapacityRequest } from '../token-budget.js';

export interface BudgetCheck {
  readonly answers: boolean;
  /** Whether the budget was terminated, as nobody ran it. */
  readonly isReplaced: boolean;
}

export interface TokenBudgetActivities {
  /** Requests capacity of the provider's token budget, and starts the budget if it is not running. A signal answers. */
  requestCapacity(input: { provider: string; request: CapacityRequest }): Promise<void>;
  /**
   * Whether the budget answers a query. One that has not answered for `silentForMs` is terminated if that is long, so
   * that the next request starts a new one.
   */
  checkBudget(input: { provider: string; silentForMs: number }): Promise<BudgetCheck>;
  /** Which of these runs have ended, or never existed. */
  closedRuns(input: { workflowIds: string[] }): Promise<string[]>;
  /**
   * Why a run does not get on although it should: the failure of its workflow tasks, such as a workflow type that its
   * worker does not have, or that no worker takes them; null if nothing is wrong.
   */
  whyStalled(input: { workflowId: string }): Promise<string | null>;
}
