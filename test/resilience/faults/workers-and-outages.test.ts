/** What a real server and real time are needed for: workers that come and go, outages, updates without an answer. */
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { stageActivities } from '../../../dev/stage/backend.js';
import { waitFor } from '../../../dev/stage/wait-for.js';
import { startWorker } from '../../../dev/stage/worker.js';
import { LlmJobsClient } from '../../../src/client.js';
import type { BatchSpec } from '../../../src/index.js';
import { endpoint } from '../../support/runs.js';
import { chatExamples, chatRequests } from '../../support/samples.js';
import { devServerStage } from '../../support/stage.js';

const LONG = { validatingMs: 50, inProgressMs: 15_000, finalizingMs: 50, cancellingMs: 100, jitter: 0 };
const stage = devServerStage({
  api: { batches: LONG, fineTuning: { validatingMs: 50, queuedMs: 50, runningMs: 8_000, jitter: 0 } },
});
const poll = { min: '150ms', max: '300ms' };
const batchSpec = (more: Partial<BatchSpec> = {}): BatchSpec => ({
  input: { requests: chatRequests(3) },
  endpoint,
  poll,
  ...more,
});

/** Workers of a task queue of their own, one after the other. */
function workers() {
  const { connection, namespace, client } = stage.temporal;
  const taskQueue = `workers-${randomUUID()}`;
  return {
    jobs: new LlmJobsClient(client, { taskQueue }),
    start: (providers: Record<string, object> = {}) =>
      startWorker({ connection, namespace, taskQueue }, stageActivities(stage.backend, { providers })),
  };
}

// Each fault strikes one job: the tests run at the same time.
describe.concurrent('workers and outages', () => {
  test('a worker without the provider for a while → attention, then the next worker goes on', async () => {
    const { jobs, start } = workers();
    let stop = await start({ second: {} });
    const run = await jobs.startBatch(batchSpec({ provider: 'second' }));
    await waitFor(async () => (await run.progress()).status === 'in_progress', 'in_progress');
    await stop();
    stop = await start();
    await waitFor(async () => (await run.progress()).attention !== null, 'attention');
    expect((await run.progress()).attention).toMatchObject({
      operation: 'read',
      message: expect.stringContaining('Unknown provider "second"'),
    });
    await stop();
    stop = await start({ second: {} });
    await run.wake();
    const result = await run.result();
    expect(result).toMatchObject({ status: 'completed', lines: { succeeded: 3 } });
    expect(result.warnings.join()).toContain('Unknown provider');
    await stop();
  });

  test('a worker that was away, then 404s → not vanished, since nobody looked meanwhile', async () => {
    const { jobs, start } = workers();
    let stop = await start();
    const run = await jobs.startBatch(batchSpec({ vanishedAfter: '9s' }));
    await waitFor(async () => (await run.progress()).status === 'in_progress', 'in_progress');
    const { jobId } = await run.progress();
    await stop();
    // Three observations have two gaps, of which each counts for a third of the time at most.
    stage.api.faults.add({ on: 'batches.retrieve', id: jobId ?? '', effect: 'notFound', times: 3 });
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    stop = await start();
    expect((await run.result()).status).toBe('completed');
    await stop();
  });

  test('a pause without an answer → does not hold up the end of the run', async () => {
    const trainingFile = { uri: await stage.write(chatExamples(10)) };
    const run = await stage.jobs.startFineTuning({ model: 'gpt-4o-mini-2024-07-18', trainingFile, poll });
    await waitFor(async () => (await run.progress()).status === 'running', 'running');
    const { jobId } = await run.progress();
    stage.api.faults.add({ on: 'fineTuning.pause', id: jobId ?? '', effect: 'timeout', times: Infinity });
    const paused = run.pause().catch((error: unknown) => error);
    expect((await run.result()).status).toBe('succeeded');
    const error = (await paused) as Error;
    expect(String(error.cause)).toContain('could not pause the job: the run ended first');
  });

  test('resume right after pause → accepted; progress says paused in between', async () => {
    const trainingFile = { uri: await stage.write(chatExamples(10)) };
    const run = await stage.jobs.startFineTuning({ model: 'gpt-4o-mini-2024-07-18', trainingFile, poll });
    await waitFor(async () => (await run.progress()).status === 'running', 'running');
    expect(await run.pause()).toBe('paused');
    expect((await run.progress()).status).toBe('paused');
    expect(await run.resume()).toBe('queued');
    expect(await run.pause()).toBe('paused');
    expect(await run.resume()).toBe('queued');
    expect((await run.result()).status).toBe('succeeded');
  });
});
