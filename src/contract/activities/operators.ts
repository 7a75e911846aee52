/** Activities for people and scripts, who start them without a workflow: `temporal activity execute`, or the UI. */
import type { BatchResult } from '../batch.js';

/** An id, or an object with it. A field that is null counts as absent. */
export type CollectBatchByIdInput =
  | string
  | {
      readonly id: string;
      /** @default 'default' */
      readonly provider?: string | null;
      /**
       * Results are written to `<outputUri>/<batch id>/`.
       * @default the worker's first storage root
       */
      readonly outputUri?: string | null;
    };

export interface FindOrphansInput {
  /** @default 'default' */
  readonly provider?: string | null;
  /**
   * Jobs that were created earlier are ignored, in days.
   * @default 30
   */
  readonly days?: number | null;
  /**
   * Whether to cancel each orphan at the provider.
   * @default false
   */
  readonly cancel?: boolean | null;
}

/** A job that no run follows. */
export interface FoundOrphan {
  readonly kind: 'batch' | 'fineTuning';
  readonly jobId: string;
  readonly status: string;
  /** Epoch seconds; null where the provider does not say. */
  readonly createdAt: number | null;
  readonly owner: { readonly workflowId: string; readonly runId: string };
  readonly reason: 'runEnded' | 'duplicate';
  readonly runStatus: string;
  readonly isCancelled: boolean;
}

export interface OperatorActivities {
  /** Names the jobs at the provider that no run of this namespace follows, and cancels them if that is asked for. */
  findOrphans(input?: FindOrphansInput | null): Promise<readonly FoundOrphan[]>;
  /**
   * Follows a batch to its end, whoever created it, and collects its results into storage as a run of `runBatch` does.
   * Until then it fails as `NothingNew`, with the delay until the next look.
   */
  collectBatch(input: CollectBatchByIdInput): Promise<BatchResult>;
}
