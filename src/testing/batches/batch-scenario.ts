import type OpenAI from 'openai';
import type { ReadScenario } from '../job-reads.js';
import type { WireBatch } from '../wire.js';
import type { BatchStatus } from './batch-timeline.js';
import type { BatchTiming } from './batch-timing.js';
import type { LineFault } from './line-fault.js';

/**
 * How one batch deviates from the normal course, which a batch without a scenario takes. All fields may be combined.
 */
export interface BatchScenario extends ReadScenario<BatchStatus> {
  /** Durations for this batch. @default those of the local API */
  readonly timing?: Partial<BatchTiming>;
  /** Validation ends as `failed` with these errors, whatever the file contains. */
  readonly failWith?: readonly Pick<OpenAI.BatchError, 'code' | 'message' | 'line' | 'param'>[];
  /** Statuses that the batch leaves only by a cancel: it does not even expire. */
  readonly stuckIn?: readonly BatchStatus[];
  /** A cancel is accepted, and yet the batch ends as `completed`. @default false */
  readonly cancelLosesRace?: boolean;
  /** Faults of lines by position (from 0). For a line without one its own `user` field decides. */
  readonly lines?: (index: number) => LineFault | undefined;
  /** The last line of the output is cut in the middle and has no line break. @default false */
  readonly cutLastLine?: boolean;
  /** What a batch without failed lines shows as its error file. @default `null` */
  readonly emptyErrorFile?: 'empty-id' | 'zero-bytes';
  /** The content of the output and error files is refused with this status. */
  readonly outputGone?: 404 | 410;
  /** Changes the counts that are shown. */
  readonly counts?: (counts: OpenAI.BatchRequestCounts) => OpenAI.BatchRequestCounts | null;
  /** Changes the whole object that is shown, for the dialects of other providers. */
  readonly show?: (batch: WireBatch) => unknown;
}

const DAY_MS = 24 * 3_600_000;

const fail = (
  code: string,
  message: string,
  line: number | null = null,
  param: string | null = null,
): BatchScenario => ({
  failWith: [{ code, message, line, param }],
});

/** Ready-made scenarios by name, to use as they are or to copy and combine. */
export const BATCH_SCENARIOS = {
  /** Refused because of a line of its file. */
  failsValidation: fail('invalid_json_line', 'This line is not parseable as valid JSON.', 3),
  failsOnTokenLimit: fail(
    'token_limit_exceeded',
    'Enqueued token limit reached for gpt-4o-mini in organization org-local. Limit: 2,000,000 enqueued tokens. Please try again once some in_progress batches have been completed.',
  ),
  failsOnModel: fail(
    'model_not_found',
    "The provided model 'gpt-0' is not supported by the Batch API.",
    1,
    'body.model',
  ),
  failsOnFile: fail(
    'invalid_request',
    'Cannot find file file-xyz, or organization org-local does not have access to it.',
  ),
  failsWithUnknownCode: fail('flux_capacitor_drained', 'The batch was not accepted.'),
  /** `failed` with an empty list of errors. */
  failsWithoutReason: { failWith: [] },
  vanishesWhileRunning: { vanishIn: 'in_progress' },
  vanishesAtItsEnd: { vanishIn: 'completed' },
  stepsBack: { staleReads: 2 },
  unknownStatus: { foreignStatus: { status: 'moderating', insteadOf: 'in_progress' } },
  /** Azure's dialect: capitalised statuses, ISO times, no counts while validating. */
  azureDialect: { show: (batch) => azureBatch(batch) },
  stuckValidating: { stuckIn: ['validating'] },
  stuckInProgress: { stuckIn: ['in_progress'] },
  stuckFinalizing: { stuckIn: ['finalizing'] },
  /** Does not end without a cancel, and stays `cancelling` after it. */
  stuckCancelling: { stuckIn: ['in_progress', 'cancelling'] },
  slowFinalizing: { timing: { finalizingMs: 18 * 60_000 } },
  /** Completed without an output file. */
  allLinesFail: { lines: () => ({ kind: 'status', status: 400 }) },
  emptyErrorFileId: { emptyErrorFile: 'empty-id' },
  zeroByteErrorFile: { emptyErrorFile: 'zero-bytes' },
  missingLines: { lines: (index) => (index % 3 === 0 ? { kind: 'missing' } : undefined) },
  duplicateLines: { lines: (index) => (index % 3 === 0 ? { kind: 'duplicate' } : undefined) },
  unknownCustomIds: { lines: (index) => (index % 3 === 0 ? { kind: 'unknown-id' } : undefined) },
  cutLastLine: { cutLastLine: true },
  malformedLine: { lines: (index) => (index === 0 ? { kind: 'malformed' } : undefined) },
  statusCodeZero: { lines: (index) => (index % 3 === 0 ? { kind: 'status', status: 0 } : undefined) },
  nullFilledErrors: { lines: () => ({ kind: 'null-error' }) },
  someLinesFail: { lines: (index) => (index % 3 === 0 ? { kind: 'status', status: 429 } : undefined) },
  outputExpired404: { outputGone: 404 },
  outputExpired410: { outputGone: 410 },
  countsDoNotSum: { counts: ({ total }) => ({ total, completed: Math.min(1, total), failed: 0 }) },
  nullCounts: { counts: () => null },
  cancelLosesRace: { cancelLosesRace: true },
  /** About 40 % of the lines are answered when the batch expires. */
  expiresPartly: { timing: { inProgressMs: 2.5 * DAY_MS, jitter: 0 } },
  /** Expires before any line is answered. */
  expiresEmpty: { timing: { inProgressMs: 1e9 * DAY_MS, jitter: 0 } },
} as const satisfies Record<string, BatchScenario>;

/** The name of a scenario of batches. */
export type BatchScenarioName = keyof typeof BATCH_SCENARIOS;

/** The names of the scenarios of batches. */
export const BATCH_SCENARIO_NAMES = Object.keys(BATCH_SCENARIOS) as BatchScenarioName[];

function azureBatch(batch: WireBatch): unknown {
  const times = Object.entries(batch).filter(([name, value]) => name.endsWith('_at') && typeof value === 'number');
  return {
    ...batch,
    status: `${batch.status[0]!.toUpperCase()}${batch.status.slice(1)}`,
    ...Object.fromEntries(times.map(([name, value]) => [name, new Date((value as number) * 1000).toISOString()])),
    ...(batch.status === 'validating'
      ? { request_counts: { total: null, completed: null, failed: null }, error_file_id: '' }
      : {}),
  };
}
