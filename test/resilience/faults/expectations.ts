/**
 * How a run of each lifecycle must end under each fault and each scenario of the local API. `faults.test.ts` checks all
 * of them.
 */
import type { BatchScenarioName, FaultName, FineTuningScenarioName, Operation } from '../../../src/testing/index.js';

/** How a run ends. */
export type Expected =
  /** A result; that of a batch has these line counts. */
  | { readonly ends: string; readonly lines?: Partial<Record<LineOutcome, number>>; readonly warns?: RegExp }
  /** A failure of this type. */
  | { readonly fails: string; readonly message?: RegExp };

export type LineOutcome = 'succeeded' | 'failed' | 'unfinished' | 'missing';

/** Requests of a batch, in the runs of this table. */
export const LINES = 12;

const batchDone: Expected = { ends: 'completed', lines: { succeeded: LINES } };
const jobDone: Expected = { ends: 'succeeded' };
const refused: Expected = { fails: 'ApiRefused' };

/** Operations that a fault strikes, each once. A list is only called by the second attempt of a create. */
export const STRUCK = {
  batch: [
    'files.create',
    'files.list',
    'batches.create',
    'batches.list',
    'batches.retrieve',
    'files.content',
    'files.delete',
  ],
  fineTuning: [
    'files.create',
    'files.list',
    'fineTuning.create',
    'fineTuning.list',
    'fineTuning.retrieve',
    'fineTuning.events',
    'fineTuning.checkpoints',
    'files.content',
    'files.delete',
  ],
} as const satisfies Record<string, readonly Operation[]>;

/** A temporary fault strikes every operation once in a single run; any other fault strikes one operation per run. */
export type FaultExpectation =
  | { readonly passes: true; readonly warns?: RegExp }
  | {
      readonly passes: false;
      /** Operations where the fault ends the run, and how. */
      readonly batch: Partial<Record<Operation, Expected>>;
      readonly fineTuning: Partial<Record<Operation, Expected>>;
    };

const passes: FaultExpectation = { passes: true };

/** A refusal ends the run before there is a job. Afterwards the run asks again, and says so. */
const endsTheRun: Extract<FaultExpectation, { passes: false }> = {
  passes: false,
  batch: {
    'files.create': refused,
    'batches.create': refused,
    'batches.retrieve': { ...batchDone, warns: /Could not read the job for a while/ },
    'batches.cancel': { ends: 'cancelled', lines: { succeeded: 3, unfinished: 9 }, warns: /Could not cancel the job/ },
    'files.content': { ...batchDone, warns: /Could not collect the results for a while/ },
    // A failed cleanup does not hold back the result.
    'files.delete': { ...batchDone, warns: /Could not delete/ },
  },
  fineTuning: {
    'files.create': refused,
    'fineTuning.create': refused,
    'fineTuning.retrieve': { ...jobDone, warns: /Could not read the job for a while/ },
    'fineTuning.cancel': { ends: 'cancelled', warns: /Could not cancel the job/ },
    // By-products are asked for again for a while, without a warning.
    'fineTuning.checkpoints': jobDone,
    'files.content': jobDone,
    'files.delete': { ...jobDone, warns: /Could not delete/ },
  },
};

/** A file may be published late, so its content is asked for again without a warning. */
const forbidden: FaultExpectation = {
  passes: false,
  batch: { ...endsTheRun.batch, 'files.content': batchDone },
  fineTuning: {
    ...endsTheRun.fineTuning,
    'fineTuning.checkpoints': { ...jobDone, warns: /The checkpoints could not be read/ },
  },
};

export const FAULTS_EXPECTED: Record<FaultName, FaultExpectation> = {
  unauthorized: endsTheRun,
  forbidden,
  quotaExceeded: endsTheRun,
  echoApiKey: endsTheRun,
  requestTimeout: passes,
  conflict: passes,
  rateLimited: passes,
  rateLimitedWithRetryAfter: passes,
  rateLimitedWithRetryAfterMs: passes,
  rateLimitedForLong: passes,
  serverError: passes,
  serverErrorForGood: passes,
  badRequestToRetry: passes,
  badGateway: passes,
  unavailable: passes,
  htmlPage: passes,
  reset: passes,
  lostAnswer: passes,
  timeout: passes,
  timeoutAfterHandling: passes,
  delay: passes,
  cutBody: passes,
  cutBodySilently: passes,
  hidden: { passes: true, warns: /404/ },
  emptyObject: passes,
  notFound: {
    passes: false,
    batch: {
      'files.create': refused,
      'batches.create': refused,
      'batches.retrieve': { ...batchDone, warns: /404/ },
      // The cancel is repeated until the job is cancelled.
      'batches.cancel': { ends: 'cancelled', lines: { succeeded: 3, unfinished: 9 } },
      'files.content': batchDone,
      'files.delete': batchDone,
    },
    fineTuning: {
      'files.create': refused,
      'fineTuning.create': refused,
      'fineTuning.retrieve': { ...jobDone, warns: /404/ },
      'fineTuning.cancel': { ends: 'cancelled' },
      'fineTuning.events': jobDone,
      'fineTuning.checkpoints': jobDone,
      'files.content': jobDone,
      'files.delete': jobDone,
    },
  },
};

export interface ScenarioExpectation {
  readonly expected: Expected;
  /** The run has this deadline, when it cancels its job. */
  readonly deadline?: string;
}

const batch = (lines: Partial<Record<LineOutcome, number>>, warns?: RegExp): ScenarioExpectation => ({
  expected: { ends: 'completed', lines, ...(warns && { warns }) },
});
const fails = (type: string, message?: RegExp): ScenarioExpectation => ({
  expected: { fails: type, ...(message && { message }) },
});
const allThere = batch({ succeeded: LINES });

export const BATCH_SCENARIOS_EXPECTED: Record<BatchScenarioName, ScenarioExpectation> = {
  failsValidation: fails('BatchFailed', /invalid_json_line/),
  failsOnTokenLimit: fails('BatchFailed', /Enqueued token limit/),
  failsOnModel: fails('BatchFailed', /gpt-0/),
  failsOnFile: fails('BatchFailed', /Cannot find file/),
  failsWithUnknownCode: fails('BatchFailed', /flux_capacitor_drained/),
  failsWithoutReason: fails('BatchFailed', /gave no reason/),
  vanishesWhileRunning: fails('JobVanished'),
  vanishesAtItsEnd: fails('JobVanished'),
  stepsBack: allThere,
  unknownStatus: batch({ succeeded: LINES }, /Unknown status "moderating"/),
  azureDialect: allThere,
  stuckValidating: fails('JobStuck', /validating/),
  stuckInProgress: fails('JobStuck', /in_progress/),
  stuckFinalizing: fails('JobStuck', /finalizing/),
  stuckCancelling: { ...fails('JobStuck', /cancelling/), deadline: '2h' },
  slowFinalizing: allThere,
  allLinesFail: batch({ failed: LINES }),
  emptyErrorFileId: allThere,
  zeroByteErrorFile: allThere,
  missingLines: batch({ succeeded: 8, missing: 4 }, /in neither of the provider's files/),
  duplicateLines: batch({ succeeded: LINES }, /Duplicate result lines: /),
  unknownCustomIds: batch({ succeeded: 8, missing: 4 }, /custom_id that is not in the input/),
  cutLastLine: batch({ succeeded: LINES - 1, missing: 1 }, /Unreadable lines/),
  malformedLine: batch({ succeeded: LINES - 1, missing: 1 }, /Unreadable lines/),
  statusCodeZero: batch({ succeeded: 8, failed: 4 }),
  nullFilledErrors: allThere,
  someLinesFail: batch({ succeeded: 8, failed: 4 }),
  outputExpired404: batch({ missing: LINES }, /results are incomplete/),
  outputExpired410: batch({ missing: LINES }, /results are incomplete/),
  countsDoNotSum: allThere,
  nullCounts: allThere,
  cancelLosesRace: { ...allThere, deadline: '2h' },
  expiresPartly: { expected: { ends: 'expired', lines: { succeeded: 4, unfinished: 8 } } },
  expiresEmpty: { expected: { ends: 'expired', lines: { unfinished: LINES } } },
};

const succeeds: ScenarioExpectation = { expected: jobDone };
/** Fine-tuning jobs have no expiry: a run waits for one that is stuck until a user or a deadline cancels it. */
const waitsForCancel: ScenarioExpectation = { expected: { ends: 'cancelled' }, deadline: '2d' };

export const FINE_TUNING_SCENARIOS_EXPECTED: Record<FineTuningScenarioName, ScenarioExpectation> = {
  failsValidation: fails('FineTuningFailed', /Example 6174/),
  failsInQueue: fails('FineTuningFailed', /exceeded_quota/),
  failsWhileRunning: fails('FineTuningFailed', /server_error/),
  failsModeration: fails('FineTuningFailed', /moderation/),
  failsSafetyChecks: fails('FineTuningFailed', /safety/),
  failsWithUnknownCode: fails('FineTuningFailed', /flux_capacitor_drained/),
  failsWithoutReason: fails('FineTuningFailed', /failed: error: hidden/),
  vanishesWhileRunning: fails('JobVanished'),
  vanishesAtItsEnd: fails('JobVanished'),
  stepsBack: succeeds,
  unknownStatus: { expected: { ...jobDone, warns: /Unknown status "moderating"/ } },
  stuckValidating: waitsForCancel,
  stuckQueued: waitsForCancel,
  stuckRunning: waitsForCancel,
  pausedByProvider: waitsForCancel,
  nullFilledError: succeeds,
  emptyErrorObject: succeeds,
  noResultFiles: succeeds,
  nullResultFiles: succeeds,
  resultFilesGone404: { expected: { ...jobDone, warns: /results are incomplete/ } },
  resultFilesGone410: { expected: { ...jobDone, warns: /results are incomplete/ } },
  duplicateEvents: succeeds,
  tiedEvents: succeeds,
  azureDialect: succeeds,
};
