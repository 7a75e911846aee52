import type { ReadScenario } from '../job-reads.js';
import type { WireFineTuningJob } from '../wire.js';
import type { FineTuningStatus } from './fine-tuning-timeline.js';
import type { FineTuningTiming } from './fine-tuning-timing.js';

/**
 * How one fine-tuning job deviates from the normal course, which a job without a scenario takes. All fields may be
 * combined.
 */
export interface FineTuningScenario extends ReadScenario<FineTuningStatus> {
  /** Durations for this job. @default those of the local API */
  readonly timing?: Partial<FineTuningTiming>;
  /** The job fails. */
  readonly fail?: {
    /** The stage that ends as `failed`; `end` is after the last step. */
    readonly in: 'validating_files' | 'queued' | 'running' | 'end';
    readonly code: string;
    readonly message: string;
    /** @default null */
    readonly param?: string | null;
    /** The share of the steps after which a `running` job fails. @default 0.5 */
    readonly share?: number;
  };
  /** Statuses that the job leaves only by a pause or a cancel. */
  readonly stuckIn?: readonly FineTuningStatus[];
  /** The share of the steps after which the provider pauses the job. A `resume` continues it. */
  readonly pausesAt?: number;
  /** The `error` of a job that has not failed. @default null */
  readonly healthyError?: 'null-filled' | 'empty-object';
  /** The `error` of a failed job has only null fields. @default false */
  readonly hidesError?: boolean;
  /**
   * What a succeeded job shows as its result files, or the status with which their content is refused.
   *
   * @default their ids
   */
  readonly resultFiles?: 'none' | 'null' | 404 | 410;
  /**
   * `duplicated`: every page of events after the first begins with the last event of the page before.
   * `tied`: all metrics events have the same second.
   */
  readonly events?: 'duplicated' | 'tied';
  /** Changes the whole object that is shown, for the dialects of other providers. */
  readonly show?: (fineTuningJob: WireFineTuningJob) => unknown;
}

/** Ready-made scenarios by name, to use as they are or to copy and combine. */
export const FINE_TUNING_SCENARIOS = {
  failsValidation: {
    fail: {
      in: 'validating_files',
      code: 'invalid_training_file',
      message: 'The job failed due to an invalid training file. Example 6174 message contains an invalid token.',
      param: 'training_file',
    },
  },
  failsInQueue: {
    fail: {
      in: 'queued',
      code: 'exceeded_quota',
      message: 'Creating this fine-tuning job would exceed your hard limit.',
    },
  },
  failsWhileRunning: {
    fail: { in: 'running', code: 'server_error', message: 'The job failed due to an internal error.' },
  },
  /** Refused by the moderation of the training file. */
  failsModeration: {
    fail: {
      in: 'validating_files',
      code: 'invalid_training_file',
      message:
        'The job failed due to an unsafe training file. This training file was blocked by our moderation system.',
      param: 'training_file',
    },
  },
  /** Refused by the safety checks after all steps. */
  failsSafetyChecks: {
    fail: { in: 'end', code: 'model_blocked', message: 'The fine-tuned model was blocked by our safety evaluations.' },
  },
  failsWithUnknownCode: { fail: { in: 'running', code: 'flux_capacitor_drained', message: 'The job has failed.' } },
  failsWithoutReason: { fail: { in: 'running', code: 'hidden', message: 'hidden' }, hidesError: true },
  vanishesWhileRunning: { vanishIn: 'running' },
  vanishesAtItsEnd: { vanishIn: 'succeeded' },
  stepsBack: { staleReads: 2 },
  /** Azure's name for a queued job. */
  unknownStatus: { foreignStatus: { status: 'moderating', insteadOf: 'queued' } },
  stuckValidating: { stuckIn: ['validating_files'] },
  stuckQueued: { stuckIn: ['queued'] },
  stuckRunning: { stuckIn: ['running'] },
  pausedByProvider: { pausesAt: 0.5 },
  nullFilledError: { healthyError: 'null-filled' },
  emptyErrorObject: { healthyError: 'empty-object' },
  noResultFiles: { resultFiles: 'none' },
  nullResultFiles: { resultFiles: 'null' },
  resultFilesGone404: { resultFiles: 404 },
  resultFilesGone410: { resultFiles: 410 },
  duplicateEvents: { events: 'duplicated' },
  tiedEvents: { events: 'tied' },
  /** Azure's dialect: capitalised statuses and ISO times. */
  azureDialect: { show: (fineTuningJob) => azureFineTuningJob(fineTuningJob) },
} as const satisfies Record<string, FineTuningScenario>;

/** The name of a scenario of fine-tuning jobs. */
export type FineTuningScenarioName = keyof typeof FINE_TUNING_SCENARIOS;

/** The names of the scenarios of fine-tuning jobs. */
export const FINE_TUNING_SCENARIO_NAMES = Object.keys(FINE_TUNING_SCENARIOS) as FineTuningScenarioName[];

const iso = (seconds: number | null): string | null =>
  seconds === null ? null : new Date(seconds * 1000).toISOString();

function azureFineTuningJob(fineTuningJob: WireFineTuningJob): unknown {
  return {
    ...fineTuningJob,
    status: `${fineTuningJob.status[0]!.toUpperCase()}${fineTuningJob.status.slice(1)}`,
    created_at: iso(fineTuningJob.created_at),
    finished_at: iso(fineTuningJob.finished_at),
    estimated_finish: iso(fineTuningJob.estimated_finish),
    result_files: fineTuningJob.result_files.length === 0 ? null : fineTuningJob.result_files,
  };
}
