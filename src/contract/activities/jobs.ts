/** Types that the activities of batches and of fine-tuning jobs share. */
import type { RunOwner } from '../job-key.js';
import type { JobSnapshot } from '../snapshots.js';

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
}

export interface CreatedOnce<T> {
  readonly job: T;
  /** Whether an earlier attempt created it. */
  readonly adopted: boolean;
  /** Whether an earlier request with an unknown outcome may still create a duplicate: look for the key again later. */
  readonly mayHaveDuplicate: boolean;
}

/** A create that was cancelled while its request was in flight. */
export interface InterruptedCreate extends JobSearch {
  /** Whether its last attempt ended without an answer, so that there may be a job. */
  readonly outcomeUnknown: boolean;
  /** What a person should look for at a provider that keeps no metadata. */
  readonly lookFor: Readonly<Record<string, unknown>>;
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
  /** Since when the job has been missing (404); null if it is not missing. */
  readonly missingSince: number | null;
  /** Milliseconds after which a missing job has vanished. */
  readonly vanishedAfterMs: number;
  /** When a job that has not ended counts as stuck; null for never. */
  readonly stuckAt: number | null;
  readonly createdAt: number | null;
  readonly expiresAt: number | null;
  /** Bounds of the poll interval, in milliseconds; null for those of the worker. */
  readonly poll: { readonly minMs: number | null; readonly maxMs: number | null };
}

/** What a poll found. `at` is its time in epoch seconds. */
export type Sighting<T extends JobSnapshot> =
  /** The job has changed. */
  | { readonly kind: 'changed'; readonly job: T; readonly at: number }
  /** The provider answered 404 for the first time. */
  | { readonly kind: 'missing'; readonly at: number }
  /** The job has been missing for too long. */
  | { readonly kind: 'vanished'; readonly at: number }
  /** The job has not ended although it should have long ago. */
  | { readonly kind: 'stuck'; readonly job: T; readonly at: number };
