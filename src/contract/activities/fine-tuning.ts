import type { CheckedFile } from '../checked-file.js';
import type { FineTuningMethod, FineTuningResult, TrainingSteps } from '../fine-tuning.js';
import type { Cancellation } from '../progress.js';
import type { FineTuningSnapshot } from '../snapshots.js';
import type {
  CancelInput,
  CancelReply,
  CreatedOnce,
  CreateOnceInput,
  Duplicates,
  InterruptedCreate,
  JobRef,
  JobSearch,
  Sighting,
  WatchInput,
} from './jobs.js';

export type TrainingRole = 'training' | 'validation';

export interface CheckTrainingFileInput {
  readonly provider: string;
  readonly file: { readonly fileId: string } | { readonly uri: string };
  readonly method: FineTuningMethod;
  readonly role: TrainingRole;
  readonly model: string;
  /** Whether faults of examples are reported. */
  readonly check: boolean;
  /** Where results will be written; null for the worker's first storage root. */
  readonly outputUri: string | null;
}

/** A file that was checked: in storage and still to be uploaded, or at the provider. */
export type CheckedTrainingFile = {
  /** Number of examples; null if the file is at the provider and cannot be downloaded. */
  readonly examples: number | null;
} & (
  { readonly fileId: string; readonly file?: undefined } | { readonly fileId?: undefined; readonly file: CheckedFile }
);

export interface CreateFineTuningJobInput extends CreateOnceInput {
  readonly model: string;
  readonly trainingFileId: string;
  readonly validationFileId: string | null;
  readonly method: Readonly<Record<string, unknown>> | null;
  readonly suffix: string | null;
  readonly seed: number | null;
  readonly integrations: readonly Readonly<Record<string, unknown>>[] | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly extraBody: Readonly<Record<string, unknown>>;
  readonly leaveFreeSlots: number;
}

export type FineTuningSighting = Sighting<FineTuningSnapshot> & { readonly steps: TrainingSteps | null };

export interface CollectFineTuningInput {
  readonly provider: string;
  readonly job: FineTuningSnapshot;
  /** Milliseconds for which incomplete results of an ended job are read again; 0 for a job that has not ended. */
  readonly settleForMs: number;
  /** Where results are written, as `<outputUri>/<job id>/…`; null for the worker's first storage root. */
  readonly outputUri: string | null;
  readonly cancellation: Cancellation | null;
  readonly warnings: readonly string[];
}

/** The result, with any status of a fine-tuning job. */
export type CollectedFineTuning = Omit<FineTuningResult, 'status'> & {
  readonly status: string;
  /** The last event of the level `error`: a job may fail without any other reason. */
  readonly lastError: string | null;
};

export interface FineTuningActivities {
  /** Checks every example by the rules of the method; fails with `InvalidInput` and the first faults. */
  checkTrainingFile(input: CheckTrainingFileInput): Promise<CheckedTrainingFile>;
  /**
   * Creates the job, or adopts the one that an earlier attempt created. Without a free slot it is retried until there
   * is one.
   */
  createFineTuningJob(input: CreateFineTuningJobInput): Promise<CreatedOnce<FineTuningSnapshot>>;
  /** The oldest job of the run, or null: after a create whose outcome is unknown. */
  findFineTuningJob(input: InterruptedCreate): Promise<FineTuningSnapshot | null>;
  /** Cancels jobs of the run, all but the one that it follows. */
  cancelDuplicateFineTuningJobs(input: JobSearch & { readonly id: string }): Promise<Duplicates>;
  /**
   * Returns when the job's status has changed; until then fails as `NothingNew`, with the delay until the next poll.
   */
  watchFineTuningJob(input: WatchInput): Promise<FineTuningSighting>;
  /**
   * Asks the provider to cancel, and returns the job as it is then. One that has ended is left unchanged.
   */
  cancelFineTuningJob(input: CancelInput): Promise<CancelReply<FineTuningSnapshot>>;
  /** Pauses a running job. Returns the job as it is then, or null if it is gone. */
  pauseFineTuningJob(input: JobRef): Promise<FineTuningSnapshot | null>;
  /** Resumes a paused job. Returns the job as it is then, or null if it is gone. */
  resumeFineTuningJob(input: JobRef): Promise<FineTuningSnapshot | null>;
  /** Writes the events to `events.jsonl`, each result file to `<file id>.csv`, and the result to `manifest.json`. */
  collectFineTuningResults(input: CollectFineTuningInput): Promise<CollectedFineTuning>;
}
