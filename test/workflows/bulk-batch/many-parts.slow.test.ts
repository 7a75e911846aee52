/** A bulk batch of 200 parts survives what people and machines do to it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { beforeEach, expect, test } from 'vitest';
import type { BulkBatchResult } from '../../../src/index.js';
import type { BulkBatchRun, StartOptions } from '../../../src/client.js';
import { waitFor } from '../../../dev/stage/wait-for.js';
import { randomFor } from '../../../src/testing/random.js';
import { reset, workflowTasks } from '../../support/operators.js';
import { idsOf, ownerOf, readLines, TERMINAL_STATUSES } from '../../support/runs.js';
import { chatRequests } from '../../support/samples.js';
import { workerProcessStage } from '../../support/stage.js';

const PARTS = 200;
const REQUESTS = chatRequests(2 * PARTS);
const KILLS = 10;
const TIMEOUT = 900_000;
const stage = workerProcessStage();
const random = randomFor(1, 'many parts');
let before = 0;
beforeEach(async () => {
  before = (await stage.api.batches()).length;
});

async function start(options: StartOptions = {}): Promise<BulkBatchRun> {
  const input = { uri: await stage.write(REQUESTS) };
  return stage.jobs.startBulkBatch({ input, split: { requests: 2 }, maxParallel: 20 }, options);
}

/** Waits until so many parts of the current run have ended. */
async function done(run: BulkBatchRun, parts: number): Promise<void> {
  const current = stage.jobs.bulkBatch(run.workflowId);
  await waitFor(async () => ((await current.progress().catch(() => null))?.parts.done ?? 0) >= parts, `${parts} parts`);
}

/** The batches that were created since the test began. */
async function batches() {
  const all = await stage.api.batches();
  return all.slice(0, all.length - before);
}

/** Whether every request is answered, and in its place. */
async function isWhole(result: BulkBatchResult): Promise<boolean> {
  const ids = idsOf(await readLines(result.output?.uri));
  return result.status === 'completed' && result.rounds === 1 && isDeepStrictEqual(ids, idsOf(REQUESTS));
}

/** How many batches were created, and for how many different parts. */
async function bought(): Promise<{ batches: number; parts: number }> {
  const created = await batches();
  return { batches: created.length, parts: new Set(created.map(ownerOf)).size };
}

test('workers are killed ten times at random → one result, no part bought twice', { timeout: TIMEOUT }, async () => {
  let worker = await stage.startWorker();
  const run = await start();
  for (let kill = 1; kill <= KILLS; kill++) {
    await done(run, Math.floor((kill * PARTS) / (2 * KILLS)));
    await sleep(random() * 500);
    await worker.stop('SIGKILL');
    worker = await stage.startWorker();
  }
  expect(await isWhole(await run.result())).toBe(true);
  expect(await bought()).toEqual({ batches: PARTS, parts: PARTS });
  await worker.stop('SIGTERM');
});

test('reset twice while it runs → the same parts go on, none is bought twice', { timeout: TIMEOUT }, async () => {
  const worker = await stage.startWorker();
  const run = await start();
  let last = (await run.handle.describe()).runId;
  for (const parts of [40, 90]) {
    await done(run, parts);
    const handle = stage.jobs.bulkBatch(run.workflowId, last).handle;
    const tasks = await workflowTasks(handle);
    last = await reset(stage.temporal.client, handle, last, tasks[Math.floor(tasks.length / 2)] ?? 0);
  }
  expect(await isWhole(await stage.jobs.bulkBatch(run.workflowId, last).result())).toBe(true);
  expect(await bought()).toEqual({ batches: PARTS, parts: PARTS });
  await worker.stop('SIGTERM');
});

test(
  'terminated, and started again under the same id → whole; no batch of the first is left running',
  { timeout: TIMEOUT },
  async () => {
    const worker = await stage.startWorker();
    const run = await start();
    await done(run, 50);
    await run.handle.terminate();
    const again = await start({ workflowId: run.workflowId, startAgain: true });
    expect(await isWhole(await again.result())).toBe(true);
    await waitFor(
      async () => (await batches()).every(({ status }) => TERMINAL_STATUSES.includes(status)),
      'the end of all batches',
    );
    await worker.stop('SIGTERM');
  },
);
