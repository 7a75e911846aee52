/** The jobs of the demo: it starts them, kills their worker, cancels one of them and waits for their results. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchRequest, BatchRun } from '../../src/client.js';
import type { BatchProgress, BatchResult, BulkBatchResult, FineTuningResult } from '../../src/index.js';
import { REQUESTS, TRAINING_FILE } from './environment.js';
import { batchRow, bulkRow, fineTuningRow, follow, type DemoContext, type EndedJob } from './follow.js';

const CREATED_CHECK_MS = 200;

export const TITLES = {
  batch: 'Batch of 66 requests',
  bulk: 'Bulk of 300 requests',
  fineTuning: 'Fine-tuning job',
  cancelled: 'Batch, cancelled midway',
} as const;

const BULK_REQUESTS = 300;
const BULK_BATCHES = 3;
/** With the batch and the one that is cancelled. */
const BATCHES = BULK_BATCHES + 2;

export interface DemoResults {
  readonly batch: EndedJob<BatchResult>;
  /** Not with the real API, as the others. */
  readonly bulk?: EndedJob<BulkBatchResult>;
  readonly fineTuning?: EndedJob<FineTuningResult>;
  readonly cancelled?: EndedJob<BatchResult>;
}

/**
 * Runs all jobs concurrently. A batch is cancelled when a tenth of its requests are answered, and the worker is killed
 * while that goes on.
 */
export function runAllJobs(context: DemoContext): Promise<DemoResults> {
  return context.environment.abortable(() => startAndFollowAll(context));
}

async function startAndFollowAll(context: DemoContext): Promise<DemoResults> {
  const { jobs, storage } = context.environment;
  const trainingFile = { uri: TRAINING_FILE.href };
  const model = 'gpt-4.1-mini-2025-04-14';
  const [batch, bulk, fineTuning, cancelled] = await Promise.all([
    jobs.startBatch(batchSpec(), { workflowId: unique('batch') }),
    jobs.startBulkBatchFrom(
      bulkRequests(),
      { storage, split: { requests: BULK_REQUESTS / BULK_BATCHES } },
      { workflowId: unique('bulk') },
    ),
    jobs.startFineTuning(
      { model, trainingFile, suffix: 'service-desk', seed: 7 },
      { workflowId: unique('fine-tuning') },
    ),
    jobs.startBatch(batchSpec(), { workflowId: unique('cancelled-batch') }),
  ]);
  const [batchEnd, bulkEnd, fineTuningEnd, cancelledEnd] = await Promise.all([
    follow(context, TITLES.batch, batch, batchRow),
    follow(context, TITLES.bulk, bulk, bulkRow),
    follow(context, TITLES.fineTuning, fineTuning, fineTuningRow),
    follow(context, TITLES.cancelled, cancelled, batchRow, cancelMidway(cancelled)),
    killWorker(context),
  ]);
  const results = { batch: batchEnd, bulk: bulkEnd, fineTuning: fineTuningEnd, cancelled: cancelledEnd };
  await check(context, results);
  return results;
}

/** Kills the worker while every job is under way and a cancel is, and starts another one. */
async function killWorker({ environment, display, signal }: DemoContext): Promise<void> {
  const { worker } = environment;
  while (true) {
    signal.throwIfAborted();
    const { batches, fineTuningJobs, isOneEnding } = await environment.created();
    if (batches === BATCHES && fineTuningJobs === 1 && isOneEnding) break;
    await Promise.race([sleep(CREATED_CHECK_MS), worker.broken]);
  }
  const pid = worker.pid();
  await worker.kill();
  display.say(`The worker, process ${pid}, was killed with SIGKILL. At the API, all jobs go on.`);
  await worker.replace();
  display.say(`Another worker, process ${worker.pid()}, takes over. The lost calls are noticed after 15 s.`);
}

/** @throws if a job did not end as it should, or if the API created more jobs than were asked for */
async function check({ environment }: DemoContext, results: Required<DemoResults>): Promise<void> {
  const { batch, bulk, fineTuning, cancelled } = results;
  const { lines } = batch.result;
  expectThat(batch.result.status === 'completed' && lines.succeeded === 64 && lines.failed === 2, batch.title, lines);
  expectThat(bulk.result.lines.succeeded === BULK_REQUESTS, bulk.title, bulk.result.lines);
  expectThat(fineTuning.result.fineTunedModel !== null, fineTuning.title, fineTuning.result.status);
  const partial = cancelled.result;
  expectThat(
    partial.status === 'cancelled' && partial.lines.succeeded > 0 && partial.lines.unfinished > 0,
    cancelled.title,
    partial.lines,
  );
  const created = await environment.created();
  expectThat(created.batches === BATCHES && created.fineTuningJobs === 1, 'What the API created', created);
}

export function batchSpec() {
  return { input: { uri: REQUESTS.href }, endpoint: '/v1/chat/completions' };
}

const TOPICS = ['the invoice', 'the delivery', 'the app', 'the login', 'the manual', 'the refund'];

function* bulkRequests(): Generator<BatchRequest> {
  for (let number = 1; number <= BULK_REQUESTS; number += 1) {
    const content = `Is this review about a fault? "I have a question on ${TOPICS[number % TOPICS.length]} (${number})."`;
    yield {
      custom_id: `review-${number}`,
      method: 'POST',
      url: '/v1/chat/completions',
      body: { model: 'gpt-5.4-mini', messages: [{ role: 'user', content }] },
    };
  }
}

/** Sends the `cancel` signal once, when a tenth of the requests are answered. */
function cancelMidway(run: BatchRun): (progress: BatchProgress) => Promise<void> {
  let isSent = false;
  return async ({ counts }) => {
    if (isSent || counts.total === 0 || counts.completed + counts.failed < counts.total / 10) return;
    isSent = true;
    await run.cancel('a tenth is enough for a demo');
  };
}

function expectThat(condition: boolean, title: string, found: unknown): void {
  if (!condition) throw new Error(`${title} ended unexpectedly: ${JSON.stringify(found)}`);
}

export const unique = (name: string): string => `demo-${name}-${randomUUID().slice(0, 8)}`;
