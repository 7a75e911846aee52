/** Types that the activities of batches and of fine-tuning jobs share. */
import type { RunOwner } from '../job-key.js';
import type { JobSnapshot } from '../snapshots.js';
import type { WatchMode } from '../spec-fields.js';

/** A job at a provider. */
export interface JobRef {
  readonly provider: string;
  readonly id: string;
}

/** A search for the jobs of a run, by the key in their metadata and by their input file. */
export interface JobSearch {
  readonly provider: string;
  readonly owner: RunOwner;
  /** Input file of the job, by which it is found where no metadata is kept; null where it is not known yet. */
  readonly inputFile: {
    readonly id: string;
    /** Whether this run uploaded it itself, so that no job of another run has it. */
    readonly isOwn: boolean;
  } | null;
  /** Epoch seconds, on Temporal's clock: no job of this run is older. */
  readonly startedAt: number;
}

export interface CreateOnceInput extends JobSearch {
  /** Whether an earlier run of this workflow (before a reset) may have created the job. */
  readonly mayExist: boolean;
  readonly onAmbiguousCreate: 'fail' | 'createAgain';
  /** Undefined for the worker's choice. */
  readonly watch?: WatchMode | undefined;
}

export interface CreatedOnce<T> {
  readonly job: T;
  /** Whether an earlier attempt created it. */
  readonly adopted: boolean;
  /** Whether an earlier request with an unknown outcome may still create a duplicate: look for the key again later. */
  readonly mayHaveDuplicate: boolean;
  /** Workflow id of the watch that wakes the run; null where the run looks at its job itself. */
  readonly watchedBy: string | null;
}

/** A create that was cancelled while its request was in flight. */
export interface InterruptedCreate extends JobSearch {
  /** Whether its last attempt ended without an answer, so that there may be a job. */
  readonly outcomeUnknown: boolean;
  /** What a person should look for at a provider that keeps no metadata. */
  readonly lookFor: Readonly<Record<string, unknown>>;
}

/** A request to cancel a job. */
export interface CancelInput extends JobRef {
  /** Whether a cancel was requested before. Then the job is read first, and cancelled again only if it still runs. */
  readonly isAgain: boolean;
}

export interface CancelReply<T> {
  /** The job as it is after the request; null if the provider answers 404. */
  readonly job: T | null;
  /** Whether the provider accepted the cancel, or the job needs none. */
  readonly isAccepted: boolean;
}

/** What the search for duplicates of a run's job found. */
export interface Duplicates {
  /** Ids of those that it cancelled. */
  readonly cancelled: string[];
  /** Those that had ended before, with answers that were paid for. */
  readonly ended: { readonly id: string; readonly status: string }[];
}

/** What the workflow knows of a job, by which the activity recognises a change. Times are epoch seconds. */
export interface WatchInput {
  readonly provider: string;
  readonly id: string;
  /** The status that the workflow knows. */
  readonly status: string;
  /** Whether the job was missing (404) when it was last seen. */
  readonly isMissing: boolean;
  /**
   * From when on a poll tells the workflow whatever it finds, even that nothing is new or that there is no answer; null
   * for never. Verdicts rest on such observations.
   */
  readonly reportFrom: number | null;
  readonly createdAt: number | null;
  readonly expiresAt: number | null;
  /** Workflow id of the watch by which the run is woken, so that it can sleep; without it, the run polls. */
  readonly watchedBy?: string | null;
  /** Whether the run was woken by a hint. The change that caused the hint may not be visible at the provider yet. */
  readonly isHinted?: boolean;
  /** Bounds of the poll interval, in milliseconds; null for those of the worker. */
  readonly poll: { readonly minMs: number | null; readonly maxMs: number | null };
}

/** What a poll found. `at` is its time in epoch seconds. */
export type Sighting<T extends JobSnapshot> =
  /** The job has changed. */
  | { readonly kind: 'changed'; readonly job: T; readonly at: number }
  /** The provider answered 404. */
  | { readonly kind: 'missing'; readonly at: number }
  /** Nothing is new. `job` is null if the read was older than what the workflow knows. */
  | { readonly kind: 'unchanged'; readonly job: T | null; readonly at: number };
