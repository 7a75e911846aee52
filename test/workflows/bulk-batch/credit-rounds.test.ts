/** Lines that fail for want of credit: their requests wait, and are sent again in rounds that do not count. */
import { afterEach, expect, test } from 'vitest';
import { HOUR, IMMEDIATE_BATCH, MINUTE } from '../../../dev/stage/timing.js';
import { timeSkippingStage } from '../../support/stage.js';
import { chatRequests, chatRequest } from '../../support/samples.js';
import { readLines } from '../../support/runs.js';
import type { BulkBatchSpec } from '../../../src/index.js';

const stage = timeSkippingStage({ api: { batches: IMMEDIATE_BATCH } });
afterEach(() => stage.api.scenarios.clear());

const BROKE = { lines: (index: number) => (index % 2 === 0 ? ({ kind: 'status', status: 402 } as const) : undefined) };
const ALL_BROKE = { lines: () => ({ kind: 'status', status: 402 }) as const };

async function start(requests: unknown[], spec: Partial<BulkBatchSpec> = {}) {
  const input = { uri: await stage.write(requests) };
  return stage.jobs.startBulkBatch({ input, poll: { min: '1s', max: '1s' }, ...spec });
}

const creates = (from: number) =>
  stage.api.requests.slice(from).flatMap(({ operation, at }) => (operation === 'batches.create' ? [at] : []));

test('credit comes back in the fifth round → all answered though maxRounds is 2, with growing waits', async () => {
  const from = stage.api.requests.length;
  stage.api.scenarios.forNextBatch(BROKE);
  for (let i = 0; i < 3; i += 1) stage.api.scenarios.forNextBatch(ALL_BROKE);
  const result = await (await start(chatRequests(8), { maxRounds: 2 })).result();
  expect(result).toMatchObject({ lines: { succeeded: 8 }, errors: null });
  expect(result.sent.map(({ requests, reasons }) => [requests, reasons])).toEqual([
    [8, { first: 8 }],
    ...Array.from({ length: 4 }, () => [4, { noCredit: 4 }]),
  ]);
  const times = creates(from);
  const pauses = times.slice(1).map((at, index) => Math.floor((at - times[index]!) / (10 * MINUTE)));
  expect(pauses).toEqual([1, 2, 4, 8]);
});

test('others fail for good meanwhile → those are sent maxRounds times, not more', async () => {
  stage.api.scenarios.forNextBatch({ lines: (index) => (index < 2 ? { kind: 'status', status: 402 } : undefined) });
  stage.api.scenarios.forNextBatch({ lines: () => ({ kind: 'status', status: 402 }) });
  const requests = [...chatRequests(4), chatRequest(4, { user: 'local-api:status=500' })];
  const result = await (await start(requests, { maxRounds: 2 })).result();
  expect(result.lines).toMatchObject({ succeeded: 4, failed: 1 });
  const failing = result.sent.map(({ reasons }) => reasons.failed ?? 0);
  expect(failing.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(1);
});

test('it lasts longer than giveUpAfter → failed with that reason, and a warning', async () => {
  const from = stage.api.requests.length;
  stage.api.scenarios.forBatches(() => true, ALL_BROKE);
  const run = await start(chatRequests(3), { giveUpAfter: '1h' });
  const result = await run.result();
  expect(result).toMatchObject({ status: 'completed', lines: { failed: 3 } });
  expect(result.warnings.join()).toMatch(/want of credit for too long: 3 requests are not sent again/);
  expect(await readLines(result.errors?.uri)).toHaveLength(3);
  const times = creates(from);
  expect(times.at(-1)! - times[0]!).toBeGreaterThanOrEqual(HOUR);
});

test('a cancel ends the wait, which is in the progress', async () => {
  stage.api.scenarios.forBatches(() => true, ALL_BROKE);
  const run = await start(chatRequests(3));
  await expect
    .poll(async () => (await run.progress()).waitingFor, { timeout: 60_000 })
    .toMatch(/^credit at the provider, next attempt at .*: 3 requests of round 1 failed for want of it/);
  await run.cancel('enough');
  expect(await run.result()).toMatchObject({ status: 'cancelled', rounds: 1, lines: { failed: 3 } });
});
