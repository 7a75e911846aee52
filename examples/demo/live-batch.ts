/** The batch of `--live`, at the real API. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchRun } from '../../src/client.js';
import type { Display } from './display.js';
import { batchRow, follow, type DemoContext } from './follow.js';
import { batchSpec, TITLES, unique, type DemoResults } from './jobs.js';

const CANCEL_CHECK_MS = 500;
const CANCEL_LIMIT_MS = 60_000;

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

async function hasEnded({ handle }: BatchRun): Promise<boolean> {
  return (await handle.describe()).status.name !== 'RUNNING';
}
