/** What is left in the folder of a bulk batch at its end. */
import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { BulkBatchSpec } from '../../../src/index.js';
import type { BulkBatchRun } from '../../../src/client.js';
import { reset, workflowTasks } from '../../support/operators.js';
import { readLines } from '../../support/runs.js';
import { chatRequest, chatRequests } from '../../support/samples.js';
import { devServerStage } from '../../support/stage.js';

const stage = devServerStage();
const MERGED = ['errors.jsonl', 'input-files.jsonl', 'manifest.json', 'output.jsonl', 'parts.jsonl'];
const REQUESTS = [...chatRequests(5), chatRequest(5, { user: 'local-api:status=400' })];

async function start(spec: Partial<BulkBatchSpec> = {}): Promise<BulkBatchRun> {
  const input = { uri: await stage.write(REQUESTS) };
  return stage.jobs.startBulkBatch({ input, split: { requests: 2 }, ...spec });
}

const namesBeside = async (uri: string | undefined) => (await readdir(dirname(fileURLToPath(uri!)))).toSorted();

test('completed → the merged files; the parts are gone, and their list names none of their files', async () => {
  const result = await (await start()).result();
  expect(await namesBeside(result.output?.uri)).toEqual(MERGED);
  const parts = await readLines(result.parts?.uri);
  expect(parts).toHaveLength(3);
  for (const part of parts) expect(part).toMatchObject({ output: null, errors: null, status: 'completed' });
});

test('keepParts → the parts and the results of each batch stay', async () => {
  const result = await (await start({ keepParts: true })).result();
  expect(await namesBeside(result.output?.uri)).toEqual([...MERGED, 'batches', 'round-1'].toSorted());
  const [first] = (await readLines(result.parts?.uri)) as unknown as { output: string }[];
  expect(await readLines(first?.output)).toHaveLength(2);
});

test('completed, then reset to its first task → the same result, nothing bought or read again', async () => {
  const run = await start();
  const before = await run.result();
  const { runId } = await run.handle.describe();
  const batches = (await stage.api.batches()).length;
  const [first = 0] = await workflowTasks(run.handle);
  const again = await reset(stage.temporal.client, run.handle, runId, first);
  expect(await stage.jobs.bulkBatch(run.workflowId, again).result()).toEqual(before);
  expect((await stage.api.batches()).length).toBe(batches);
});

test('cancelled → everything stays', async () => {
  stage.api.scenarios.forBatches(() => true, { timing: { inProgressMs: 600_000, jitter: 0 } });
  const run = await start({ maxParallel: 1 });
  await expect.poll(async () => (await run.progress()).parts.running, { timeout: 120_000 }).toBe(1);
  await run.cancel();
  const result = await run.result();
  stage.api.scenarios.clear();
  expect(await namesBeside(result.parts?.uri)).toContain('round-1');
});
