/** A bulk batch of 200 parts survives what people and machines do to it. */
import { setTimeout as sleep } from 'node:timers/promises';
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

async function expectWhole(result: BulkBatchResult): Promise<void> {
  expect(result).toMatchObject({ status: 'completed', requests: REQUESTS.length, rounds: 1, errors: null });
  expect(idsOf(await readLines(result.output?.uri))).toEqual(idsOf(REQUESTS));
}

/** No part was bought twice. */
async function expectEachOnce(): Promise<void> {
  const created = await batches();
  expect(new Set(created.map(ownerOf)).size).toBe(created.length);
  expect(created).toHaveLength(PARTS);
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
  await expectWhole(await run.result());
  await expectEachOnce();
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
  await expectWhole(await stage.jobs.bulkBatch(run.workflowId, last).result());
  await expectEachOnce();
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
    await expectWhole(await again.result());
    await waitFor(
      async () => (await batches()).every(({ status }) => TERMINAL_STATUSES.includes(status)),
      'the end of all batches',
    );
    await worker.stop('SIGTERM');
  },
);
