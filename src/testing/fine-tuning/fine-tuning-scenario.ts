import type { ReadScenario } from '../read-scenario.js';
import type { WireFineTuningJob } from '../wire.js';
import type { FineTuningStatus } from './fine-tuning-timeline.js';
import type { FineTuningTiming } from './fine-tuning-timing.js';

/** What happens to one fine-tuning job beyond the usual. All fields may be combined. */
export interface FineTuningScenario extends ReadScenario<FineTuningStatus> {
  /** Other durations for this job. */
  readonly timing?: Partial<FineTuningTiming>;
  /** The job fails at the end of a stage: `end` is after the last step, `running` after `share` (default 0.5) of them. */
  readonly fail?: {
    readonly in: 'validating_files' | 'queued' | 'running' | 'end';
    readonly code: string;
    readonly message: string;
    readonly param?: string | null;
    readonly share?: number;
  };
  /** Statuses that the job never leaves by itself. A cancel still ends it. */
  readonly stuckIn?: readonly FineTuningStatus[];
  /** The provider pauses the job by itself when this share of the steps is done; `resume` goes on. */
  readonly pausesAt?: number;
  /** `error` of a job that did not fail. @default null */
  readonly healthyError?: 'null-filled' | 'empty-object';
  /** A failed job that gives no reason: its `error` is null-filled. */
  readonly hidesError?: boolean;
  /** What a succeeded job says of its result files. @default their ids */
  resultFiles?: 'none' | 'null' | 404 | 410;
  /** `duplicated`: each further page of events starts with the last event of the page before. `tied`: all metrics
   * events carry the same second. */
  readonly events?: 'duplicated' | 'tied';
  /** Changes the whole object that is shown: a dialect. */
  readonly show?: (job: WireFineTuningJob) => unknown;
}

/** Ready-made scenarios by name. */
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
  /** As Azure calls it. */
  unknownStatus: { foreignStatus: { status: 'pending', insteadOf: 'queued' } },
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
  /** Capitalised statuses and ISO times. */
  azureDialect: { show: (job) => azureJob(job) },
} as const satisfies Record<string, FineTuningScenario>;

export type FineTuningScenarioName = keyof typeof FINE_TUNING_SCENARIOS;

export const FINE_TUNING_SCENARIO_NAMES = Object.keys(FINE_TUNING_SCENARIOS) as FineTuningScenarioName[];

const iso = (seconds: number | null): string | null =>
  seconds === null ? null : new Date(seconds * 1000).toISOString();

function azureJob(job: WireFineTuningJob): unknown {
  return {
    ...job,
    status: `${job.status[0]!.toUpperCase()}${job.status.slice(1)}`,
    created_at: iso(job.created_at),
    finished_at: iso(job.finished_at),
    estimated_finish: iso(job.estimated_finish),
    result_files: job.result_files.length === 0 ? null : job.result_files,
  };
}
