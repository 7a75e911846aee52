/** A bulk batch with a long history continues as new: parts that have ended are not run again. */
import { expect, test } from 'vitest';
import { SEARCH_ATTRIBUTES } from '../../../src/client.js';
import { registerSearchAttributes } from '../../../src/temporal/search-attributes.js';
import { devServerOfShortHistories } from '../../support/temporal.js';
import { chatRequests } from '../../support/samples.js';
import { devServerStage } from '../../support/stage.js';
import { reset, workflowTasks } from '../../support/operators.js';
import { idsOf, readLines } from '../../support/runs.js';

/** Low enough that a dozen parts exceed it, however many of their reports arrive in one workflow task. */
const EVENTS = 30;
const stage = devServerStage({}, devServerOfShortHistories(EVENTS));

test('many parts, one of them retried → several runs, one result, each part submitted once per round', async () => {
  const requests = chatRequests(36);
  stage.api.scenarios.forNextBatch('missingLines');
  const input = { uri: await stage.write(requests) };
  const spec = {
    input,
    split: { requests: 3 },
    maxParallel: 3,
    deadline: '1h',
    settleFor: '0s',
    retry: { undelivered: true },
  };
  await registerSearchAttributes(stage.temporal.client);
  const run = await stage.jobs.startBulkBatch(spec);
  const first = (await run.handle.describe()).runId;
  const result = await run.result();
  expect(result).toMatchObject({ status: 'completed', rounds: 2, batches: 13, lines: { succeeded: 36 }, errors: null });
  expect(idsOf(await readLines(result.output?.uri))).toEqual(idsOf(requests));
  expect(await stage.api.batches()).toHaveLength(13);

  const latest = await stage.jobs.bulkBatch(run.workflowId).handle.describe();
  const { runId, historyLength, typedSearchAttributes } = latest;
  expect(runId).not.toBe(first);
  expect(typedSearchAttributes.get(SEARCH_ATTRIBUTES.kind)).toBe('bulkBatch');
  expect(typedSearchAttributes.get(SEARCH_ATTRIBUTES.status)).toBe('completed');
  // Parts that are running when the limit is reached still add their events.
  expect(historyLength).toBeLessThan(3 * EVENTS);
});

test('a reset of the first of its runs → every batch of the later runs is found again, none is bought twice', async () => {
  const input = { uri: await stage.write(chatRequests(36)) };
  const run = await stage.jobs.startBulkBatch({ input, split: { requests: 3 }, maxParallel: 3 });
  const { runId } = await run.handle.describe();
  const before = await run.result();
  expect((await stage.jobs.bulkBatch(run.workflowId).handle.describe()).runId).not.toBe(runId);
  const batches = (await stage.api.batches()).length;
  const first = stage.jobs.bulkBatch(run.workflowId, runId).handle;
  const tasks = await workflowTasks(first);
  const again = await reset(stage.temporal.client, first, runId, tasks[Math.floor(tasks.length / 2)] ?? 0);
  const result = await stage.jobs.bulkBatch(run.workflowId, again).result();
  expect(result).toMatchObject({ status: 'completed', batches: before.batches, lines: before.lines, errors: null });
  expect((await stage.api.batches()).length).toBe(batches);
});

test('a cancel after that → finished results are kept, no further batch is created', async () => {
  const input = { uri: await stage.write(chatRequests(60)) };
  const run = await stage.jobs.startBulkBatch({ input, split: { requests: 3 }, maxParallel: 2 });
  const first = (await run.handle.describe()).runId;
  const latest = stage.jobs.bulkBatch(run.workflowId);
  await expect.poll(async () => (await latest.handle.describe()).runId === first, { timeout: 120_000 }).toBe(false);
  await latest.cancel('enough');
  const result = await run.result();
  expect(result).toMatchObject({ status: 'cancelled', requests: 60, cancellation: { reason: 'enough' } });
  expect(result.lines.succeeded).toBeGreaterThan(3);
  expect(result.lines.succeeded + result.lines.unfinished + result.lines.missing).toBe(60);
});
