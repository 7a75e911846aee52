/** The watch of an account: one workflow for all jobs of a task queue at a provider, and what it has seen of them. */
import type { TrainingSteps } from './fine-tuning.js';
import type { RequestCounts } from './snapshots.js';

export const WATCH_ACCOUNT = 'watchAccount';

/** Id of the run of `watchAccount` for a provider, as the worker's configuration names it. */
export const accountWatchId = (taskQueue: string, provider: string): string =>
  `llm-jobs-watch/${taskQueue}/${provider}`;

export interface WatchAccountInput {
  readonly provider: string;
}

/** As in the operations of the API: `batches.list`. */
export type WatchedKind = 'batches' | 'fineTuning';

/** A job that a run has just created. It is watched also while the provider's list does not show it yet. */
export interface AnnouncedJob {
  readonly kind: WatchedKind;
  readonly id: string;
  readonly status: string;
  /** Workflow id of its run. */
  readonly workflowId: string;
  /** Epoch seconds; null if the provider sends none. */
  readonly createdAt: number | null;
  /** Epoch seconds; null where jobs of this kind do not expire. */
  readonly expiresAt: number | null;
}

/** A job that has not ended, as a sweep saw it last. */
export interface WatchedJob extends AnnouncedJob {
  /** Null before the provider sends any, and for fine-tuning jobs. */
  readonly counts: RequestCounts | null;
  /** Null for batches, before training starts, and for a job that no sweep has read by itself: lists have no steps. */
  readonly steps: TrainingSteps | null;
  /**
   * Epoch seconds, on Temporal's clock: when this was last known to be right, because the job was created or read, or
   * because its entry in the list changed. 0 for a job of which only one entry was seen so far.
   */
  readonly confirmedAt: number;
}

export interface SweepInput extends WatchAccountInput {
  /** The newest of the jobs that were announced, so that a list that lags hides none of them. */
  readonly announced: readonly AnnouncedJob[];
}

/** The argument of a signal, which any client can send. */
export function isAnnouncedJob(value: unknown): value is AnnouncedJob {
  if (typeof value !== 'object' || value === null) return false;
  const { kind, id, status, workflowId, createdAt, expiresAt } = value as Partial<Record<keyof AnnouncedJob, unknown>>;
  const isKind = kind === 'batches' || kind === 'fineTuning';
  return isKind && [id, status, workflowId].every(isText) && [createdAt, expiresAt].every(isTime);
}

const MAX_TEXT = 1_000;

const isText = (value: unknown): boolean => typeof value === 'string' && value.length > 0 && value.length <= MAX_TEXT;
const isTime = (value: unknown): boolean => value === null || Number.isFinite(value);
