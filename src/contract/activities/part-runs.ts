/** The runs of the parts of a bulk batch: runs of `runBatch` that outlive every single run of the bulk batch. */
import type { BatchSpec, CheckedBatchInput } from '../batch.js';
import type { AnsweredSoFar } from '../progress.js';
import type { Origin } from '../job-key.js';
import type { EndReport } from '../part-report.js';

export interface StartPartInput {
  /** Workflow id of the run. */
  readonly workflowId: string;
  /** Name of the part's attempt. */
  readonly name: string;
  readonly origin: Origin;
  /** The first run id of the bulk batch's chain. */
  readonly bulkRun: string;
  readonly summary: string;
  readonly spec: BatchSpec;
  readonly checked: CheckedBatchInput;
  /** Whether the bulk batch has search attributes, so that its parts get them, too. */
  readonly hasAttributes: boolean;
}

/** What became of the start of a part's run. */
export type StartedPart =
  | { readonly kind: 'started' }
  /** The same part ran before, before a reset for example, and has ended with results. */
  | { readonly kind: 'ended'; readonly report: EndReport }
  /** A run of an earlier bulk batch under the same workflow id is not over yet; it was told to cancel. */
  | { readonly kind: 'occupied' };

export interface PartRunActivities {
  /**
   * Starts the run of a part, at most once however often it is called.
   */
  startPart(input: StartPartInput): Promise<StartedPart>;
  /**
   * What the batches of the parts have answered, as the watch of their account saw it last; null where none is watched.
   *
   * @param input.prefix of the workflow ids of their runs
   */
  countParts(input: { provider: string; prefix: string }): Promise<AnsweredSoFar | null>;
  /** Waits for the end of a run, without history. */
  awaitEnd(input: { workflowId: string }): Promise<void>;
  /**
   * Reports on behalf of runs that have ended without a report, because an operator terminated them for example, and
   * tells the bulk batch what its parts wait for. It never returns: attempts need no history.
   */
  watchParts(): Promise<never>;
}
