/** The messages between bulk batches and the token budget, and the budget's state. */

/** A part that is to be submitted. */
export interface CapacityRequest {
  /** Unique for each attempt of a part, over all runs. */
  readonly lease: string;
  /** Workflow id of the bulk batch. */
  readonly holder: string;
  /** Its first run id, which a reset keeps. */
  readonly holderRun?: string;
  readonly model: string;
  /** Estimated prompt tokens. */
  readonly tokens: number;
  /** The limit that the spec names; null to use the learnt one. */
  readonly limit: number | null;
  /** Batches that the account may create within an hour. The worker adds it from the provider's traits. */
  readonly createsPerHour?: number;
}

/** A part's report that the provider refused its batch for lack of capacity. */
export interface CapacityRefusal {
  readonly lease: string;
  readonly model: string;
  /** Limit in the provider's message, in tokens; null if it contains none. */
  readonly limit: number | null;
  /** Whether the message speaks of tokens, so that the limit may be learnt from what was enqueued. */
  readonly isOfTokens: boolean;
}

/** The state of `tokenBudget`, which it passes on when it continues as new. */
export interface BudgetState {
  /** Granted requests whose capacity has not been returned. */
  leases: CapacityRequest[];
  /** Requests that wait for a grant, oldest first. */
  queue: CapacityRequest[];
  /** Tokens by model. The limit of a model that is absent is unknown. */
  limits: Record<string, number>;
  /** Epoch ms by model: nothing is granted earlier. */
  pausedUntil: Record<string, number>;
  /** Number of grants in the last hour, by the start of their minute in epoch ms. */
  grants: Record<number, number>;
}

/** The workers of a task queue share one account per provider, so there is one budget for each pair. */
export const budgetWorkflowId = (taskQueue: string, provider: string): string =>
  `llm-jobs-budget/${taskQueue}/${provider}`;

/** Whether the argument of a signal is a request. Anybody can send signals, with any argument or none. */
export function isCapacityRequest(value: unknown): value is CapacityRequest {
  const { lease, holder, holderRun, model, tokens, limit, createsPerHour } = fieldsOf(value);
  return (
    [lease, holder, model, holderRun ?? ''].every((field) => typeof field === 'string') &&
    [tokens, limit ?? 0, createsPerHour ?? 0].every(isCount)
  );
}

/** Whether the argument of a signal is a refusal. */
export function isCapacityRefusal(value: unknown): value is CapacityRefusal {
  const { lease, model, limit, isOfTokens } = fieldsOf(value);
  const areTexts = typeof lease === 'string' && typeof model === 'string';
  return areTexts && isCount(limit ?? 0) && typeof isOfTokens === 'boolean';
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

const isCount = (value: unknown): boolean => typeof value === 'number' && value >= 0;
