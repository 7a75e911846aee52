/** The messages between the runs that enqueue batches and the token budget, and the budget's state. */

/** What a limit counts: estimated prompt tokens, or requests (of embeddings, for example). */
export type CapacityUnit = 'tokens' | 'requests';
export const CAPACITY_UNITS = ['tokens', 'requests'] as const satisfies readonly CapacityUnit[];

/** What the budget keeps of a part, while it waits and while it is enqueued. */
export interface CapacityRecord {
  /** Unique for each attempt of a part, over all runs. */
  readonly lease: string;
  /** Workflow id of the run that asked. */
  readonly holder: string;
  /** The first run id of its chain, which continue-as-new and a reset keep. */
  readonly holderRun?: string;
  /** What shares the room with others: the bulk batch. Without it, the holder. */
  readonly group?: string;
  /** The first run id of the bulk batch's chain: without that bulk batch, the holder is cancelled. */
  readonly groupRun?: string;
  readonly model: string;
  /** Estimated prompt tokens. */
  readonly tokens: number;
  /** Number of requests; 0 if it is not known. */
  readonly requests?: number;
  /** The limit of tokens that the spec names; null to use the learnt one. */
  readonly limit: number | null;
  /** The `priority` of the spec, by which groups share the room. Without it, 1. */
  readonly weight?: number;
  /** It was enqueued without asking, and is only counted. */
  readonly isCounted?: boolean;
}

/** A part that is to be submitted. */
export interface CapacityRequest extends CapacityRecord {
  /** Number of leases that the holder has at this moment. A budget that knows none of them asks for them. */
  readonly holding?: number;
  /** Batches that the account may create within an hour. The worker adds it from the provider's traits. */
  readonly createsPerHour?: number;
  /** Share of each limit that is left to other users of the account. The worker adds it from the provider's traits. */
  readonly reservedShare?: number;
}

/** A part's report that the provider refused its batch for lack of capacity. */
export interface CapacityRefusal {
  readonly lease: string;
  readonly model: string;
  /** What there was too much of; null where the message speaks of neither, so that nothing is learnt from it. */
  readonly unit: CapacityUnit | null;
  /** Limit in the provider's message; null if it contains none. */
  readonly limit: number | null;
}

/** A limit that no spec names. */
export interface LearntLimit {
  readonly model: string;
  readonly unit: CapacityUnit;
  readonly value: number;
  /** Named by a message of the provider, or inferred from what was enqueued besides a part that was refused. */
  readonly whence: 'message' | 'inferred';
  /** When it was learnt or raised, in epoch ms. */
  readonly at: number;
  /** When it last kept a part from being granted, in epoch ms. */
  readonly neededAt: number;
  /** Since when as much is enqueued as it allows, in epoch ms; null where that is not so. */
  readonly fullSince: number | null;
  /** How long that must last until it is raised. */
  readonly probeAfterMs: number;
}

/** Nothing of a model is granted for a while after a refusal. Moments are epoch ms. */
export interface RefusalPause {
  readonly model: string;
  readonly until: number;
  /** Refusals in a row, of parts that were not granted together. */
  readonly refusals: number;
  readonly refusedAt: number;
}

/** What the groups have had of something, each divided by its weight, and how far those have got that wait. */
export interface SharesState {
  readonly clock: number;
  readonly served: readonly (readonly [group: string, amount: number])[];
}

/** The state of `tokenBudget`, which it passes on when it continues as new, and which its query returns. */
export interface BudgetState {
  /** Parts that were granted capacity and have not returned it. `at`: when they were, in epoch ms. */
  readonly leases: readonly (CapacityRecord & { readonly at: number })[];
  /** Parts that wait, oldest first. `blockedSince`: since when the part is next, and does not fit. */
  readonly queue: readonly (CapacityRecord & { readonly at: number; readonly blockedSince?: number })[];
  readonly limits: readonly LearntLimit[];
  readonly pauses: readonly RefusalPause[];
  /** What each group has had of the tokens of a model. */
  readonly shares: readonly (readonly [model: string, shares: SharesState])[];
  /** What each group has had of the creates. */
  readonly creates: SharesState;
  /** Number of grants in the last hour, by the start of their minute in epoch ms. */
  readonly grants: readonly (readonly [minute: number, count: number])[];
  readonly createsPerHour: number | null;
  readonly reservedShare: number;
  /** Whether the run was cancelled, so that it ends as soon as nothing is enqueued or waits. */
  readonly isEnding: boolean;
}

/** What the budget knows of a lease. */
export type LeaseStatus = 'held' | 'waiting' | 'unknown';

/** The budget's answer to the query for a lease. */
export interface LeaseAnswer {
  readonly status: LeaseStatus;
  /** What a lease that is not granted yet waits for; null for any other. */
  readonly waitsFor: string | null;
}

/** The workers of a task queue share one account per provider, so there is one budget for each pair. */
export const budgetWorkflowId = (taskQueue: string, provider: string): string =>
  `llm-jobs-budget/${taskQueue}/${provider}`;

/** The lease of a part's run. A reset keeps its first run id. */
export const leaseOf = (workflowId: string, firstRunId: string): string => `${workflowId}/${firstRunId}`;

/** Longest text in a message to the budget, in UTF-16 units. A workflow id has at most 1,000. */
const MAX_TEXT = 3_000;
/** So much of the name of a model is told to the budget, in UTF-16 units. */
export const MAX_MODEL_NAME = 200;

/** Whether the argument of a signal is a request. Anybody can send signals, with any argument or none. */
export function isCapacityRequest(value: unknown): value is CapacityRequest {
  const { holding, createsPerHour, reservedShare, isCounted } = fieldsOf(value);
  return (
    isCapacityRecord(value) &&
    [holding, createsPerHour, reservedShare].every((field) => isCount(field ?? 0)) &&
    (isCounted === undefined || typeof isCounted === 'boolean')
  );
}

/** Whether a value is what a holder tells of a lease that it has. */
export function isCapacityRecord(value: unknown): value is CapacityRecord {
  const { lease, holder, holderRun, group, groupRun, model, tokens, requests, limit, weight } = fieldsOf(value);
  return (
    [lease, holder, model, holderRun ?? '', group ?? '', groupRun ?? ''].every(isText) &&
    [tokens, requests ?? 0, limit ?? 0, weight ?? 1].every(isCount) &&
    weight !== 0
  );
}

/** Whether the argument of a signal is a refusal. */
export function isCapacityRefusal(value: unknown): value is CapacityRefusal {
  const { lease, model, limit, unit } = fieldsOf(value);
  const isUnit = unit === null || CAPACITY_UNITS.includes(unit as CapacityUnit);
  return isText(lease) && isText(model) && isCount(limit ?? 0) && isUnit;
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

const isText = (value: unknown): boolean => typeof value === 'string' && value.length <= MAX_TEXT;

const isCount = (value: unknown): boolean => typeof value === 'number' && value >= 0 && Number.isFinite(value);
