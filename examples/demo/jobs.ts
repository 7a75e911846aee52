/** The jobs of the demo: it starts them, cancels one of them and waits for their results. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchRun, FineTuningRun } from '../../src/client.js';
import type { BatchProgress, BatchResult, FineTuningProgress, FineTuningResult } from '../../src/index.js';
import type { Display, Row } from './display.js';
import { REQUESTS, TRAINING_FILE, type DemoEnvironment } from './environment.js';

const PROGRESS_INTERVAL_MS = 250;
const CANCEL_CHECK_MS = 500;
const CANCEL_LIMIT_MS = 60_000;

export const TITLES = {
  batch: 'Batch of 66 requests',
  fineTuning: 'Fine-tuning job',
  cancelled: 'Batch, cancelled midway',
} as const;

export interface EndedJob<Result> {
  readonly title: string;
  readonly workflowId: string;
  readonly uiUrl: string;
  readonly result: Result;
}

export interface DemoResults {
  readonly batch: EndedJob<BatchResult>;
  readonly fineTuning?: EndedJob<FineTuningResult>;
  readonly cancelled?: EndedJob<BatchResult>;
}

interface DemoContext {
  readonly environment: DemoEnvironment;
  readonly display: Display;
  readonly signal: AbortSignal;
}

/** Runs two jobs to their end and cancels a third when a third of its requests are answered, all concurrently. */
export function runAllJobs(context: DemoContext): Promise<DemoResults> {
  return context.environment.abortable(() => startAndFollowAll(context));
}

async function startAndFollowAll(context: DemoContext): Promise<DemoResults> {
  const { jobs } = context.environment;
  const [batch, fineTuning, cancelled] = await Promise.all([
    jobs.startBatch(batchSpec(), { workflowId: unique('batch') }),
    jobs.startFineTuning(
      { model: 'gpt-4o-mini-2024-07-18', trainingFile: { uri: TRAINING_FILE.href }, suffix: 'service-desk', seed: 7 },
      { workflowId: unique('fine-tuning') },
    ),
    jobs.startBatch(batchSpec(), { workflowId: unique('cancelled-batch') }),
  ]);
  const [batchEnd, fineTuningEnd, cancelledEnd] = await Promise.all([
    follow(context, TITLES.batch, batch, batchRow),
    follow(context, TITLES.fineTuning, fineTuning, fineTuningRow),
    follow(context, TITLES.cancelled, cancelled, batchRow, cancelMidway(cancelled)),
  ]);

  const { lines } = batchEnd.result;
  expectThat(
    batchEnd.result.status === 'completed' && lines.succeeded === 64 && lines.failed === 2,
    TITLES.batch,
    lines,
  );
  expectThat(fineTuningEnd.result.fineTunedModel !== null, TITLES.fineTuning, fineTuningEnd.result.status);
  const partial = cancelledEnd.result;
  expectThat(
    partial.status === 'cancelled' && partial.lines.succeeded > 0 && partial.lines.unfinished > 0,
    TITLES.cancelled,
    partial.lines,
  );
  return { batch: batchEnd, fineTuning: fineTuningEnd, cancelled: cancelledEnd };
}

/** Runs only the batch. If the user interrupts, it is cancelled first: otherwise it would continue to cost money. */
export async function runBatchOnly(context: DemoContext): Promise<DemoResults> {
  const { environment, display, signal } = context;
  const run = await environment.jobs.startBatch(batchSpec(), { workflowId: unique('live-batch') });
  try {
    return { batch: await environment.abortable(() => follow(context, TITLES.batch, run, batchRow)) };
  } catch (error) {
    if (signal.aborted) await cancelAtProvider(run, display);
    throw error;
  }
}

function batchSpec() {
  return { input: { uri: REQUESTS.href }, endpoint: '/v1/chat/completions' };
}

/** Shows the progress of a run until it ends. */
async function follow<Progress, Result>(
  { environment, display, signal }: DemoContext,
  title: string,
  run: {
    readonly workflowId: string;
    readonly progress: () => Promise<Progress>;
    readonly result: () => Promise<Result>;
  },
  asRow: (progress: Progress) => Omit<Row, 'title' | 'state'>,
  onProgress: (progress: Progress) => Promise<void> = async () => undefined,
): Promise<EndedJob<Result>> {
  const uiUrl = linkTo(environment, run.workflowId);
  const result = run.result();
  const settled = result.then(
    () => 'done' as const,
    () => 'failed' as const,
  );
  let state: Row['state'] = 'running';
  while (state === 'running') {
    signal.throwIfAborted();
    const progress = await Promise.race([run.progress(), environment.broken]);
    display.show({ title, state, ...asRow(progress) });
    await onProgress(progress);
    state = await Promise.race([settled, environment.broken, sleep(PROGRESS_INTERVAL_MS, 'running' as const)]);
  }
  display.show({ title, state, ...asRow(await run.progress()) });
  return { title, workflowId: run.workflowId, uiUrl, result: await result };
}

function batchRow({ phase, status, counts }: BatchProgress): Omit<Row, 'title' | 'state'> {
  const done = counts.completed + counts.failed;
  const note = counts.total === 0 ? phase : `${done} of ${counts.total} answered`;
  return { status: spaced(status), done, total: counts.total, note };
}

function fineTuningRow({ phase, status, steps }: FineTuningProgress): Omit<Row, 'title' | 'state'> {
  const note = steps === null ? phase : `step ${steps.done}${steps.total === null ? '' : ` of ${steps.total}`}`;
  return { status: spaced(status), done: steps?.done ?? 0, total: steps?.total ?? 0, note };
}

/** Sends the `cancel` signal once, when a third of the requests are answered. */
function cancelMidway(run: BatchRun): (progress: BatchProgress) => Promise<void> {
  let isSent = false;
  return async ({ counts }) => {
    if (isSent || counts.total === 0 || counts.completed + counts.failed < counts.total / 3) return;
    isSent = true;
    await run.cancel('a third is enough for a demo');
  };
}

async function cancelAtProvider(run: BatchRun, display: Display): Promise<void> {
  display.say('Cancelling the batch at the provider, to stop further costs …');
  await run.cancel('the demo was interrupted');
  const deadline = Date.now() + CANCEL_LIMIT_MS;
  while (true) {
    const { status, jobId } = await run.progress();
    const isCancelled = ['cancelling', 'cancelled', 'completed', 'expired', 'failed'].includes(status);
    if (isCancelled || (jobId === null && (await hasEnded(run)))) {
      display.say(jobId === null ? 'No batch was created.' : `${jobId} is ${status} at the provider.`);
      return;
    }
    if (Date.now() > deadline) {
      throw new Error(`${jobId ?? 'the batch'} could not be cancelled; cancel it at the provider`);
    }
    await sleep(CANCEL_CHECK_MS);
  }
}

async function hasEnded({ handle }: BatchRun | FineTuningRun): Promise<boolean> {
  return (await handle.describe()).status.name !== 'RUNNING';
}

function linkTo({ uiUrl, namespace }: DemoEnvironment, workflowId: string): string {
  return `${uiUrl}/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}`;
}

function expectThat(condition: boolean, title: string, found: unknown): void {
  if (!condition) throw new Error(`${title} ended unexpectedly: ${JSON.stringify(found)}`);
}

const unique = (name: string): string => `demo-${name}-${randomUUID().slice(0, 8)}`;

const spaced = (status: string): string => status.replaceAll('_', ' ');
