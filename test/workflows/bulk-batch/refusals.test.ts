/**
 * Parts that the provider refuses for want of room or credit: they wait, are divided where they can never fit, and end
 * with the provider's reason at last. Nothing of that is a round.
 */
import { afterEach, describe, expect, test } from 'vitest';
import type { BudgetState } from '../../../src/contract/token-budget.js';
import type { BulkBatchRun } from '../../../src/client.js';
import type { BulkBatchSpec } from '../../../src/index.js';
import { HOUR, IMMEDIATE_BATCH, MINUTE } from '../../../dev/stage/timing.js';
import { timeSkippingStage } from '../../support/stage.js';
import { failureOf, readLines } from '../../support/runs.js';
import { chatRequest, chatRequests } from '../../support/samples.js';
import { budgetOf } from '../../support/budget.js';
import { budgetWorkflowId } from '../../../src/contract/token-budget.js';

const LIMIT = 1_500;
const stage = timeSkippingStage({
  api: { batches: IMMEDIATE_BATCH, limits: { enqueuedTokens: { 'small-account': LIMIT } } },
  providers: { azure: {} },
});
afterEach(() => {
  stage.api.faults.clear();
  stage.api.scenarios.clear();
});

async function start(requests: unknown[], spec: Partial<BulkBatchSpec> = {}): Promise<BulkBatchRun> {
  return stage.jobs.startBulkBatch({
    input: { uri: await stage.write(requests) },
    poll: { min: '1s', max: '1s' },
    ...spec,
  });
}

const failing = (code: string, message: string) => ({ failWith: [{ code, message, line: null, param: null }] });
const NO_CREDIT = failing('insufficient_quota', 'You exceeded your current quota, please check your plan.');
const QUOTA = { kind: 'status', status: 429, code: 'insufficient_quota' } as const;

/** Times of the creates since the test began, on the API's clock. */
let before = 0;
const createsSince = () =>
  stage.api.requests.slice(before).flatMap(({ operation, at }) => (operation === 'batches.create' ? [at] : []));
const markTime = () => {
  before = stage.api.requests.length;
};

describe('want of credit', () => {
  test('three batches fail for it → submitted again after 10, 20 and 40 minutes, one round', async () => {
    markTime();
    for (let i = 0; i < 3; i += 1) stage.api.scenarios.forNextBatch(NO_CREDIT);
    const result = await (await start(chatRequests(4))).result();
    expect(result).toMatchObject({ rounds: 1, batches: 1, lines: { succeeded: 4 }, errors: null });
    expect(result.sent).toEqual([{ round: 1, requests: 4, reasons: { first: 4 } }]);
    const times = createsSince();
    const pauses = times.slice(1).map((at, index) => Math.floor((at - times[index]!) / (10 * MINUTE)));
    expect(pauses).toEqual([1, 2, 4]);
  });

  test.each([
    ['429', QUOTA],
    ['402', { kind: 'status', status: 402, message: 'Insufficient Balance' } as const],
    ['403', { kind: 'status', status: 403, code: 'billing_not_active' } as const],
  ])('the create is refused with %s → waits, then goes on', async (_, effect) => {
    markTime();
    stage.api.faults.add({ on: 'batches.create', effect });
    const result = await (await start(chatRequests(4))).result();
    expect(result).toMatchObject({ rounds: 1, batches: 1, lines: { succeeded: 4 } });
    const [first = 0, second = 0] = createsSince();
    expect(second - first).toBeGreaterThanOrEqual(10 * MINUTE);
  });

  test('a batch fails for it after some answers → those are kept, and only the rest is sent again', async () => {
    markTime();
    const errors = {
      object: 'list',
      data: [{ code: 'insufficient_quota', message: 'Out of credit.', line: null, param: null }],
    };
    stage.api.scenarios.forNextBatch({
      timing: { inProgressMs: MINUTE },
      lines: (index) => (index > 1 ? { kind: 'missing' } : undefined),
      show: (batch) =>
        batch.status === 'completed'
          ? { ...batch, status: 'failed', errors, request_counts: { total: 4, completed: 2, failed: 0 } }
          : batch,
    });
    const result = await (await start(chatRequests(4))).result();
    expect(result).toMatchObject({ rounds: 2, lines: { succeeded: 4 }, errors: null });
    expect(result.sent.map(({ requests }) => requests)).toEqual([4, 2]);
    expect(createsSince()).toHaveLength(2);
  });

  test('it lasts longer than giveUpAfter → the requests end with the reason of the provider', async () => {
    markTime();
    stage.api.faults.add({ on: 'batches.create', times: Infinity, effect: QUOTA });
    const failure = await failureOf(await start(chatRequests(4), { giveUpAfter: '1h' }));
    expect(failure.type).toBe('ApiRefused');
    expect(failure.message).toMatch(/there was no credit at the provider since .*insufficient_quota/);
    const times = createsSince();
    expect(times.at(-1)! - times[0]!).toBeGreaterThanOrEqual(HOUR);
    expect(times.length).toBeLessThan(6);
  });

  test('meanwhile it is in the progress, and a deadline ends the wait', async () => {
    stage.api.faults.add({ on: 'batches.create', times: Infinity, effect: QUOTA });
    const run = await start(chatRequests(4), { deadline: '5h' });
    await stage.pass('2m');
    await expect
      .poll(async () => (await run.progress()).waitingFor)
      .toMatch(/^credit at the provider, next attempt at .*insufficient_quota/);
    const result = await run.result();
    expect(result).toMatchObject({ status: 'cancelled', cancellation: { by: 'deadline' }, rounds: 1, batches: 0 });
  });
});

describe('want of room', () => {
  test('enqueued requests → waits, goes on, and a limit of requests is learnt', async () => {
    const message =
      'Enqueued request limit reached for gpt-4o-mini in organization org-local. Limit: 1,000,000 enqueued requests.';
    for (let i = 0; i < 3; i += 1) stage.api.scenarios.forNextBatch(failing('request_limit_exceeded', message));
    const run = await start(chatRequests(4));
    expect(await run.result()).toMatchObject({ rounds: 1, batches: 1, lines: { succeeded: 4 } });
    const budget = budgetOf(stage.temporal);
    const { limits } = await budget.query<BudgetState>('budget');
    expect(limits).toMatchObject([{ unit: 'requests', value: 1_000_000, whence: 'message' }]);
  });

  test("a limit in Azure's words → waits, goes on, and the limit is learnt", async () => {
    const message = 'The number of enqueued tokens has surpassed the configured limit of 30K';
    stage.api.scenarios.forNextBatch(failing('EnqueuedTokensExceeded', message));
    const run = await start(chatRequests(4), { provider: 'azure' });
    expect(await run.result()).toMatchObject({ rounds: 1, batches: 1, lines: { succeeded: 4 } });
    const budget = stage.temporal.client.workflow.getHandle(budgetWorkflowId(stage.temporal.taskQueue, 'azure'));
    const { limits } = await budget.query<BudgetState>('budget');
    expect(limits).toMatchObject([{ model: 'gpt-4o-mini', unit: 'tokens', value: 30_000, whence: 'message' }]);
  });

  test('a file with too many requests → not want of room: fails in every round', async () => {
    const scenario = failing('too_many_tasks', 'The batch input file contains too many requests: 9. The maximum is 5.');
    stage.api.scenarios.forBatches(() => true, scenario);
    const failure = await failureOf(await start(chatRequests(4), { maxRounds: 2 }));
    expect(failure).toMatchObject({ type: 'BatchFailed' });
  });
});

const large = (index: number, words = 200) =>
  chatRequest(index, { model: 'small-account', messages: [{ role: 'user', content: 'word '.repeat(words) }] });

describe('a part above the whole limit', () => {
  test('of several requests → divided within the round, all answered', async () => {
    markTime();
    const requests = [...Array.from({ length: 12 }, (_, index) => large(index)), chatRequest(12)];
    const run = await start(requests);
    const result = await run.result();
    expect(result).toMatchObject({ rounds: 1, lines: { succeeded: 13 }, errors: null });
    expect(result.batches).toBeGreaterThan(2);
    // One refused batch, and those that have results.
    expect(createsSince()).toHaveLength(result.batches + 1);
    expect(result.warnings.join()).toMatch(
      /Part 1 of round 1 has an estimated .* and was refused: it continues as parts/,
    );
    expect((await run.progress()).parts).toMatchObject({ total: result.batches, done: result.batches });
  });

  test('of one request → fails with both numbers, the others are answered', async () => {
    const result = await (await start([large(0, 2_000), large(1), chatRequest(2)])).result();
    expect(result).toMatchObject({ rounds: 1, lines: { succeeded: 2, unfinished: 1 } });
    const [line] = await readLines(result.errors?.uri);
    expect(line).toMatchObject({ custom_id: 'request-0', outcome: 'abandoned' });
    expect(line?.error?.message).toMatch(/one request of an estimated 2,\d+ tokens exceeds the limit of 1,500/);
  });
});

test('limits by model → a request is held against the limit of its own model', async () => {
  const long = { messages: [{ role: 'user', content: 'word '.repeat(300) }] };
  const requests = [chatRequest(0, { model: 'tiny' }), chatRequest(1, { model: 'vast', ...long })];
  const result = await (await start(requests, { enqueuedTokens: { tiny: 100, vast: 1_000_000 } })).result();
  expect(result).toMatchObject({ batches: 2, lines: { succeeded: 2 } });
  const failure = await failureOf(await start(requests, { enqueuedTokens: { tiny: 100, vast: 300 } }));
  expect(failure).toMatchObject({ type: 'InvalidInput', message: expect.stringContaining('limit of a part is 300') });
});
