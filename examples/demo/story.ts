/** What happens in the demo: the runs that it starts, steers and waits for. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchRun, FineTuningRun } from '../../src/client.js';
import type { BatchProgress, BatchResult, FineTuningProgress, FineTuningResult } from '../../src/index.js';
import type { Display, Row } from './display.js';
import { REQUESTS, TRAINING_FILE, type Stage } from './stage.js';

export const TITLES = {
  batch: 'Batch of 66 requests',
  fineTuning: 'Fine-tuning job',
  cancelled: 'Batch, cancelled midway',
} as const;

export interface Ended<Result> {
  readonly title: string;
  readonly workflowId: string;
  readonly uiUrl: string;
  readonly result: Result;
}

export interface Outcome {
  readonly batch: Ended<BatchResult>;
  readonly fineTuning?: Ended<FineTuningResult>;
  readonly cancelled?: Ended<BatchResult>;
}

interface Scene {
  readonly stage: Stage;
  readonly display: Display;
  readonly signal: AbortSignal;
}

/** Two jobs run to their end, a third is cancelled when a good third of it is done; all at the same time. */
export function playAll(scene: Scene): Promise<Outcome> {
  return scene.stage.whileWanted(() => playAllScenes(scene));
}

async function playAllScenes(scene: Scene): Promise<Outcome> {
  const { jobs } = scene.stage;
  const [batch, fineTuning, cancelled] = await Promise.all([
    jobs.startBatch(batchSpec(), { workflowId: unique('batch') }),
    jobs.startFineTuning(
      { model: 'gpt-4o-mini-2024-07-18', trainingFile: { uri: TRAINING_FILE.href }, suffix: 'service-desk', seed: 7 },
      { workflowId: unique('fine-tuning') },
    ),
    jobs.startBatch(batchSpec(), { workflowId: unique('cancelled-batch') }),
  ]);
  const [batchEnd, fineTuningEnd, cancelledEnd] = await Promise.all([
    follow(scene, TITLES.batch, batch, batchRow),
    follow(scene, TITLES.fineTuning, fineTuning, fineTuningRow),
    follow(scene, TITLES.cancelled, cancelled, batchRow, cancelMidway(cancelled)),
  ]);

  const { lines } = batchEnd.result;
  must(batchEnd.result.status === 'completed' && lines.succeeded === 64 && lines.failed === 2, TITLES.batch, lines);
  must(fineTuningEnd.result.fineTunedModel !== null, TITLES.fineTuning, fineTuningEnd.result.status);
  const kept = cancelledEnd.result;
  must(
    kept.status === 'cancelled' && kept.lines.succeeded > 0 && kept.lines.unfinished > 0,
    TITLES.cancelled,
    kept.lines,
  );
  return { batch: batchEnd, fineTuning: fineTuningEnd, cancelled: cancelledEnd };
}

/** The batch alone. If the user has had enough, it is cancelled before we go: it would go on costing money. */
export async function playBatch(scene: Scene): Promise<Outcome> {
  const run = await scene.stage.jobs.startBatch(batchSpec(), { workflowId: unique('live-batch') });
  try {
    return { batch: await scene.stage.whileWanted(() => follow(scene, TITLES.batch, run, batchRow)) };
  } catch (error) {
    if (scene.signal.aborted) await cancelForGood(run, scene.display);
    throw error;
  }
}

function batchSpec() {
  return { input: { uri: REQUESTS.href }, endpoint: '/v1/chat/completions' };
}

/** Shows how a run stands until it ends. */
async function follow<Progress, Result>(
  { stage, display, signal }: Scene,
  title: string,
  run: {
    readonly workflowId: string;
    readonly progress: () => Promise<Progress>;
    readonly result: () => Promise<Result>;
  },
  asRow: (progress: Progress) => Omit<Row, 'title' | 'state'>,
  act: (progress: Progress) => Promise<void> = async () => undefined,
): Promise<Ended<Result>> {
  const uiUrl = linkTo(stage, run.workflowId);
  const result = run.result();
  const settled = result.then(
    () => 'done' as const,
    () => 'failed' as const,
  );
  let state: Row['state'] = 'running';
  while (state === 'running') {
    signal.throwIfAborted();
    const progress = await Promise.race([run.progress(), stage.broken]);
    display.show({ title, state, ...asRow(progress) });
    await act(progress);
    state = await Promise.race([settled, stage.broken, sleep(250, 'running' as const)]);
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

const CANCEL_LIMIT_MS = 60_000;

async function cancelForGood(run: BatchRun, display: Display): Promise<void> {
  display.say('Cancelling the batch at the provider, so that nothing goes on costing money …');
  await run.cancel('the demo was interrupted');
  const deadline = Date.now() + CANCEL_LIMIT_MS;
  for (;;) {
    const { status, jobId } = await run.progress();
    const isCancelled = ['cancelling', 'cancelled', 'completed', 'expired', 'failed'].includes(status);
    if (isCancelled || (jobId === null && (await hasEnded(run)))) {
      display.say(jobId === null ? 'No batch was created.' : `${jobId} is ${status} at the provider.`);
      return;
    }
    if (Date.now() > deadline)
      throw new Error(`${jobId ?? 'the batch'} could not be cancelled: cancel it at the provider`);
    await sleep(500);
  }
}

async function hasEnded({ handle }: BatchRun | FineTuningRun): Promise<boolean> {
  return (await handle.describe()).status.name !== 'RUNNING';
}

function linkTo({ uiUrl, namespace }: Stage, workflowId: string): string {
  return `${uiUrl}/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}`;
}

function must(isAsPromised: boolean, title: string, found: unknown): void {
  if (!isAsPromised) throw new Error(`${title} did not end as it should: ${JSON.stringify(found)}`);
}

const unique = (name: string): string => `demo-${name}-${randomUUID().slice(0, 8)}`;

const spaced = (status: string): string => status.replaceAll('_', ' ');
