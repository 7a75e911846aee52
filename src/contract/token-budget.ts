/** What runs of `runBulkBatch` and the workflow `tokenBudget` send to each other. */

/** A part's request for capacity. */
export interface CapacityRequest {
  /** Id of the grant, unique over all runs: it names the part and the attempt to submit it. */
  readonly lease: string;
  /** Workflow id of the run that requests capacity. */
  readonly holder: string;
  /** Run id of that run's first execution, which a reset keeps. */
  readonly holderRun?: string;
  readonly model: string;
  /** Estimated prompt tokens. */
  readonly tokens: number;
  /** Limit in the run's spec, in tokens; null to use the limit learnt from refusals. */
  readonly limit: number | null;
  /** How many batches the account may create within an hour. */
  readonly createsPerHour?: number;
}

/** A part's report that the provider refused its batch for lack of capacity. */
export interface CapacityRefusal {
  readonly lease: string;
  readonly model: string;
  /** Limit in the provider's message, in tokens; null if it contains none. */
  readonly limit: number | null;
}

/** The state of `tokenBudget`, which it passes on when it continues as new. */
export interface BudgetState {
  /** Requests that were granted and not yet released. */
  leases: CapacityRequest[];
  /** Requests that wait, oldest first. */
  queue: CapacityRequest[];
  /** Learnt limits in tokens, by model. */
  limits: Record<string, number>;
  /** Until when nothing is granted, in epoch ms, by model. */
  pausedUntil: Record<string, number>;
  /** Number of grants in the last hour, by epoch minute. */
  grants?: Record<number, number>;
}

/**
 * The workers of a task queue share the accounts of their providers, so each provider of a task queue has one budget.
 */
export const budgetWorkflowId = (taskQueue: string, provider: string): string =>
  `llm-jobs-budget/${taskQueue}/${provider}`;

/**
 * The limit in a provider's message, such as 2000000 in "Enqueued token limit reached for gpt-4o-mini in organization
 * org-x. Limit: 2,000,000 enqueued tokens."; null if there is none.
 */
export function limitInMessage(message: string): number | null {
  const digits = /limit:?\s*([\d,._]{1,20})\s*(?:enqueued )?tokens/i.exec(message)?.[1]?.replaceAll(/[,._]/g, '');
  return digits ? Number(digits) : null;
}
