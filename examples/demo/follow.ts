/** Follows a run and shows how far it is, until it ends. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchProgress, BulkBatchProgress, FineTuningProgress } from '../../src/index.js';
import type { Display, Row } from './display.js';
import type { DemoEnvironment } from './environment.js';

const PROGRESS_INTERVAL_MS = 250;

export interface DemoContext {
  readonly environment: DemoEnvironment;
  readonly display: Display;
  readonly signal: AbortSignal;
}

export interface EndedJob<Result> {
  readonly title: string;
  readonly uiUrl: string;
  readonly result: Result;
}

type Shown = Omit<Row, 'title' | 'state'>;

/** Shows the progress of a run until it ends. */
export async function follow<Progress extends object, Result>(
  { environment, display, signal }: DemoContext,
  title: string,
  run: {
    readonly workflowId: string;
    readonly progress: () => Promise<Progress>;
    readonly result: () => Promise<Result>;
  },
  asRow: (progress: Progress) => Shown,
  onProgress: (progress: Progress) => Promise<void> = async () => undefined,
): Promise<EndedJob<Result>> {
  const { ask, broken } = environment.worker;
  const result = run.result();
  const settled = result.then(
    () => 'done' as const,
    () => 'failed' as const,
  );
  let state: Row['state'] = 'running';
  while (state === 'running') {
    signal.throwIfAborted();
    const answer = await Promise.race([ask(() => run.progress()), settled, broken]);
    if (typeof answer === 'object') {
      display.show({ title, state, ...asRow(answer) });
      await onProgress(answer);
    }
    state = await Promise.race([settled, broken, sleep(PROGRESS_INTERVAL_MS, 'running' as const)]);
  }
  display.show({ title, state, ...asRow(await run.progress()) });
  return { title, uiUrl: linkTo(environment, run.workflowId), result: await result };
}

export function batchRow({ phase, status, counts }: BatchProgress): Shown {
  const done = counts.completed + counts.failed;
  const note = counts.total === 0 ? phase : `${done} of ${counts.total} answered`;
  return { status: spaced(status), done, total: counts.total, note };
}

export function bulkRow({ phase, parts }: BulkBatchProgress): Shown {
  const note = parts.total === 0 ? '' : `${parts.done} of ${parts.total} batches ended`;
  return { status: phase, done: parts.done, total: parts.total, note };
}

export function fineTuningRow({ phase, status, steps }: FineTuningProgress): Shown {
  const note = steps === null ? phase : `step ${steps.done}${steps.total === null ? '' : ` of ${steps.total}`}`;
  return { status: spaced(status), done: steps?.done ?? 0, total: steps?.total ?? 0, note };
}

const spaced = (status: string): string => status.replaceAll('_', ' ');

function linkTo({ uiUrl, namespace }: DemoEnvironment, workflowId: string): string {
  return `${uiUrl}/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}`;
}
