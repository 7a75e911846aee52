/** What bulk runs and the budget of enqueued tokens say to each other. */

/** A part that wants to be submitted. */
export interface CapacityRequest {
  /** Names the attempt of a part over all runs. */
  readonly lease: string;
  /** Workflow id of the run that asks, and its first run id, which a reset keeps. */
  readonly holder: string;
  readonly holderRun?: string;
  readonly model: string;
  /** Estimated prompt tokens. */
  readonly tokens: number;
  /** The limit that the run's spec gives; null to go by what was learnt. */
  readonly limit: number | null;
  /** Batches that the account may create within an hour. */
  readonly createsPerHour?: number;
}

export interface CapacityRefusal {
  readonly lease: string;
  readonly model: string;
  /** The limit that the provider's message names; null where it names none. */
  readonly limit: number | null;
}

export interface BudgetState {
  leases: CapacityRequest[];
  queue: CapacityRequest[];
  /** Tokens by model; a model that is not there has no known limit. */
  limits: Record<string, number>;
  /** Epoch ms by model. */
  pausedUntil: Record<string, number>;
  /** Grants by minute (epoch), of the last hour. */
  grants?: Record<number, number>;
}

/** One budget for each provider of the workers of a task queue: they have the same accounts. */
export const budgetWorkflowId = (taskQueue: string, provider: string): string =>
  `llm-jobs-budget/${taskQueue}/${provider}`;

/** "Enqueued token limit reached for gpt-4o-mini in organization org-x. Limit: 2,000,000 enqueued tokens." → 2000000 */
export function limitInMessage(message: string): number | null {
  const digits = /limit:?\s*([\d,._]{1,20})\s*(?:enqueued )?tokens/i.exec(message)?.[1]?.replaceAll(/[,._]/g, '');
  return digits ? Number(digits) : null;
}
