/** Runs and their progress as text for a terminal. */
import type { ListedRun, RunKind } from '../client/list-runs.js';
import type { BatchProgress } from '../contract/batch.js';
import type { BulkBatchProgress } from '../contract/bulk-batch.js';
import type { FineTuningProgress, TrainingSteps } from '../contract/fine-tuning.js';
import type { CommonProgress } from '../contract/progress.js';
import type { RequestCounts } from '../contract/snapshots.js';

/** The names of the kinds in the commands. */
export const KIND_NAMES: Readonly<Record<RunKind, string>> = {
  batch: 'batch',
  bulkBatch: 'bulk',
  fineTuning: 'fine-tune',
};

const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;

/** A table without lines, so that it can be cut by other programs. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((name, index) => Math.max(name.length, ...rows.map((row) => row[index]?.length ?? 0)));
  return [head, ...rows].map((row) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** @param now epoch seconds */
export function listText(runs: readonly ListedRun[], now: number): string[] {
  const rows = runs.map(({ workflowId, kind, status, startedAt, state, jobId, job }) => [
    workflowId,
    KIND_NAMES[kind],
    status.toLowerCase(),
    jobId ?? '',
    job?.status ?? state ?? '',
    job ? (countsText(job.counts) ?? stepsText(job.steps) ?? '') : '',
    ago(now - startedAt.getTime() / 1_000),
  ]);
  return table(['WORKFLOW ID', 'KIND', 'RUN', 'JOB', 'STATUS', 'PROGRESS', 'STARTED'], rows);
}

export interface Shown {
  readonly workflowId: string;
  readonly kind: RunKind;
  /** Temporal's status of the run. */
  readonly runStatus: string;
  readonly progress: BatchProgress | BulkBatchProgress | FineTuningProgress;
  /** Why the run failed; null if it did not. */
  readonly failure: ShownFailure | null;
}

export interface ShownFailure {
  /** Begins with the type. */
  readonly message: string;
  readonly whatNext: string | null;
}

/** @param now epoch seconds */
export function progressText({ workflowId, kind, runStatus, progress, failure }: Shown, now: number): string[] {
  const rows: [string, string | null][] = [
    ['run', `${runStatus.toLowerCase()}, ${progress.phase}`],
    ['job', progress.jobId],
    ['status', progress.status],
    ['progress', howFar(progress)],
    ['waits for', 'waitingFor' in progress ? progress.waitingFor : null],
    ['checked', progress.lastCheckedAt === null ? null : ago(now - progress.lastCheckedAt)],
    ['expires', 'expiresAt' in progress && progress.expiresAt !== null ? iso(progress.expiresAt) : null],
    ['cancel', cancelText(progress)],
    ['refused', refusalText(progress)],
    ['failed', failure?.message ?? null],
    ['what next', failure?.whatNext ?? null],
    ...progress.warnings.map((warning): [string, string] => ['warning', warning]),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.filter(([, text]) => text !== null).map(([name, text]) => `  ${name.padEnd(width)}  ${text}`);
  return [`${workflowId} (${KIND_NAMES[kind]})`, ...lines];
}

/** The same in a line, for a run that is followed. */
export function stateText(progress: Shown['progress']): string {
  const { phase, status, jobId } = progress;
  const job = jobId === null ? [] : [jobId];
  const far = howFar(progress);
  return [phase, ...job, status, ...(far === null ? [] : [far]), ...waitTexts(progress)].join('  ');
}

/** Without what a bar shows, and without the job, which takes much room. */
export function barText(progress: Shown['progress']): string {
  const far = 'parts' in progress ? [howFarParts(progress)] : [];
  return [progress.phase, progress.status, ...far, ...waitTexts(progress)].join('  ');
}

/** What a run waits for, and what it is refused. */
function waitTexts(progress: Shown['progress']): string[] {
  const { attention } = progress;
  const waitingFor = 'waitingFor' in progress ? progress.waitingFor : null;
  return [
    ...(waitingFor === null ? [] : [`waits for ${waitingFor}`]),
    ...(attention === null ? [] : [`refused: ${attention.message}`]),
  ];
}

function howFar(progress: Shown['progress']): string | null {
  if ('steps' in progress) return stepsText(progress.steps);
  if ('counts' in progress) return progress.counts.total > 0 ? countsText(progress.counts) : null;
  const answered = Object.entries(progress.lines).map(([name, count]) => `${count} ${name}`);
  return `${howFarParts(progress)}: ${answered.join(', ')}`;
}

function howFarParts({ parts, round, isPaused }: BulkBatchProgress): string {
  const state = isPaused ? ', paused' : '';
  return `round ${round}, ${parts.done} of ${parts.total} parts, ${parts.running} running${state}`;
}

const refusalText = ({ attention }: CommonProgress): string | null =>
  attention && `${attention.operation} since ${iso(attention.since)}: ${attention.message}`;

function cancelText({ cancelRequested, cancellation }: CommonProgress): string | null {
  if (cancellation === null) return cancelRequested ? 'requested' : null;
  const { by, reason, at } = cancellation;
  return `requested by ${by} at ${iso(at)}${reason === null ? '' : `: ${reason}`}`;
}

export function countsText(counts: RequestCounts | null): string | null {
  if (counts === null) return null;
  const { total, completed, failed } = counts;
  return `${completed + failed} of ${total} answered${failed > 0 ? `, ${failed} failed` : ''}`;
}

const stepsText = (steps: TrainingSteps | null): string | null =>
  steps && `step ${steps.done}${steps.total === null ? '' : ` of ${steps.total}`}`;

/** @param seconds from then until now */
export function ago(seconds: number): string {
  if (seconds < MINUTE) return `${Math.max(0, Math.round(seconds))} s ago`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min ago`;
  if (seconds < DAY) return `${Math.floor(seconds / HOUR)} h ago`;
  return `${Math.floor(seconds / DAY)} d ago`;
}

const iso = (seconds: number): string => new Date(seconds * 1_000).toISOString().replace('.000Z', 'Z');
