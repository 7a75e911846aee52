/** What the activities of batches and of fine-tuning jobs have in common. */
import type { JobSnapshot } from '../snapshots.js';

/** A job at a provider. */
export interface JobRef {
  readonly provider: string;
  readonly id: string;
}

/** Where to look for a job by its key. */
export interface JobSearch {
  readonly provider: string;
  readonly key: string;
  /** Epoch seconds: nothing with this key can be older. */
  readonly notBefore: number;
}

export interface CreateOnceInput extends JobSearch {
  /** An earlier run of this workflow (before a reset) may have created the job. */
  readonly mayExist: boolean;
  readonly onAmbiguousCreate: 'fail' | 'createAgain';
}

export interface CreatedOnce<T> {
  readonly job: T;
  /** An earlier attempt had created it. */
  readonly adopted: boolean;
  /** An earlier request whose outcome is unknown may still be carried out: look for the key again later. */
  readonly mayHaveDuplicate: boolean;
}

/** A create that was cancelled while its request was under way. */
export interface InterruptedCreate extends JobSearch {
  /** Its last attempt ended without an answer, so there may be a job. */
  readonly outcomeUnknown: boolean;
  /** For a person: what identifies the job at a provider that keeps no metadata. */
  readonly lookFor: Readonly<Record<string, unknown>>;
}

/** What the workflow knows, so that the activity can tell a change. Times are epoch seconds. */
export interface WatchInput {
  readonly provider: string;
  readonly id: string;
  /** The status that the workflow knows. */
  readonly status: string;
  /** Since when the job is missing (404), if it is. */
  readonly missingSince: number | null;
  /** Milliseconds after which a missing job has vanished. */
  readonly vanishedAfterMs: number;
  /** When a job without an end counts as stuck; null for never. */
  readonly stuckAt: number | null;
  readonly createdAt: number | null;
  readonly expiresAt: number | null;
  /** Milliseconds; null for the worker's own. */
  readonly poll: { readonly minMs: number | null; readonly maxMs: number | null };
}

/** What a poll found. `at` is when, in epoch seconds. */
export type Sighting<T extends JobSnapshot> =
  /** The job, with something new about it. */
  | { readonly kind: 'changed'; readonly job: T; readonly at: number }
  /** A 404 where there was a job. */
  | { readonly kind: 'missing'; readonly at: number }
  /** Missing for too long. */
  | { readonly kind: 'vanished'; readonly at: number }
  /** No end long after there should be one. */
  | { readonly kind: 'stuck'; readonly job: T; readonly at: number };
