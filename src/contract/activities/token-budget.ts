import type { CapacityRequest } from '../token-budget.js';

export interface AwaitCapacityInput {
  readonly provider: string;
  readonly request: CapacityRequest;
  /** Whether to return when the budget falls silent, and when it answers again; otherwise only its grant ends the wait. */
  readonly tells: boolean;
  /** Whether the run knows that the budget is silent. */
  readonly isSilent: boolean;
}

/** What the run is to know of its token budget. */
export interface BudgetSighting {
  /** Epoch ms since when the budget does not answer; null where it does. */
  readonly silentSince: number | null;
}

/** A run by its workflow id, and by the first run id of its chain, if that is known. */
export interface HolderRun {
  readonly holder: string;
  readonly holderRun?: string;
  /** Workflow id and first run id of its bulk batch, if it has one. */
  readonly group?: string;
  readonly groupRun?: string;
}

export interface TokenBudgetActivities {
  /** Requests capacity of the provider's token budget, and starts the budget if it is not running. */
  requestCapacity(input: { provider: string; request: CapacityRequest }): Promise<void>;
  /**
   * Looks with every attempt after a request that was sent: a budget that does not know the lease is asked again, and one
   * that has been silent for long is replaced. A signal brings the grant, upon which the run cancels the activity.
   */
  awaitCapacity(input: AwaitCapacityInput): Promise<BudgetSighting>;
  /**
   * Returns those of the runs that have ended, or never existed, as soon as there are any. Cancels those whose bulk batch
   * has ended: nobody takes their results any more, and others wait for the room.
   */
  watchHolders(input: { holders: readonly HolderRun[] }): Promise<HolderRun[]>;
  /** Makes the run that calls it move to the current deployment, whatever the default of its worker is. */
  followDeployments(): Promise<void>;
  /**
   * Why a run does not get on although it should: the failure of its workflow tasks, such as a workflow type that its
   * worker does not have, or that no worker takes them; null if nothing is wrong.
   */
  whyStalled(input: { workflowId: string }): Promise<string | null>;
}
