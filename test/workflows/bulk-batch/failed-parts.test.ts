/** Parts whose run fails or is ended by an operator: no request is paid for twice, and no known result is lost. */
import { describe, expect, test } from 'vitest';
import type { BulkBatchSpec } from '../../../src/index.js';
import type { BulkBatchRun } from '../../../src/client.js';
import { devServerStage } from '../../support/stage.js';
import { failureOf, idsOf, readLines, totalOf } from '../../support/runs.js';
import { chatRequest, chatRequests } from '../../support/samples.js';

const stage = devServerStage({ providers: { bare: { metadata: false } } });
const LASTING = { timing: { inProgressMs: 600_000, jitter: 0 } };

/** Parts of four requests each, one after the other. */
async function start(requests: unknown[], spec: Partial<BulkBatchSpec> = {}): Promise<BulkBatchRun> {
  const input = { uri: await stage.write(requests) };
  return stage.jobs.startBulkBatch({ input, split: { requests: 4 }, maxParallel: 1, ...spec });
}

const batches = async () => (await stage.api.batches()).length;
const child = (run: BulkBatchRun, name: string) =>
  stage.temporal.client.workflow.getHandle(`${run.workflowId}/${name}`);

/** Waits until the first part's batch is in progress. */
async function underWay(run: BulkBatchRun): Promise<void> {
  await expect
    .poll(
      async () =>
        (
          await child(run, 'r1-p1')
            .query<{ status: string }>('progress')
            .catch(() => null)
        )?.status,
      {
        timeout: 120_000,
      },
    )
    .toBe('in_progress');
}

describe('a part that fails', () => {
  test('refused permanently → other parts are answered; its requests are in the errors file with the reason, not sent again', async () => {
    const requests = [...chatRequests(4), ...[4, 5].map((index) => chatRequest(index, { model: 'gpt-4o' }))];
    stage.api.faults.add({ on: 'batches.create', effect: { kind: 'status', status: 403, code: 'model_not_found' } });
    const before = await batches();
    const result = await (await start(requests)).result();
    expect(result).toMatchObject({ status: 'completed', rounds: 1, lines: { succeeded: 2, unfinished: 4 } });
    const errors = await readLines(result.errors?.uri);
    expect(idsOf(errors)).toEqual(idsOf(chatRequests(4)));
    expect(errors[0]).toMatchObject({ round: 1, outcome: 'abandoned', response: null, error: { code: 'ApiRefused' } });
    expect(errors[0]?.error?.message).toContain('batches.create');
    expect((await batches()) - before).toBe(1);
    expect(totalOf(result)).toBe(6);
  });

  test('all of them refused → the bulk batch fails with the same type and message, and the result', async () => {
    stage.api.faults.add({
      on: 'batches.create',
      effect: { kind: 'status', status: 401, code: 'invalid_api_key' },
      times: Infinity,
    });
    const failure = await failureOf(await start(chatRequests(8)));
    stage.api.faults.clear();
    expect(failure.type).toBe('ApiRefused');
    expect(failure.message).toMatch(/^No batch has a result: batches\.create/);
    const [details] = failure.details as [{ result: { lines: object; errors: { lines: number } } }];
    expect(details.result).toMatchObject({ lines: { succeeded: 0, unfinished: 8 }, errors: { lines: 8 } });
  });

  test('create outcome unknown → not sent again', async () => {
    stage.api.faults.add({ on: 'batches.create', effect: 'reset' });
    const before = await batches();
    const result = await (await start(chatRequests(8), { provider: 'bare' })).result();
    expect(result).toMatchObject({ rounds: 1, lines: { succeeded: 4, unfinished: 4 } });
    expect((await readLines(result.errors?.uri))[0]?.error).toMatchObject({ code: 'AmbiguousCreate' });
    expect((await batches()) - before).toBe(1);
  });

  test('failed as a whole at the provider → sent again in a further round', async () => {
    stage.api.scenarios.forNextBatch('failsOnFile');
    const result = await (await start(chatRequests(4))).result();
    expect(result).toMatchObject({ rounds: 2, batches: 2, lines: { succeeded: 4 }, errors: null });
    expect(result.warnings[0]).toContain('Part 1 of round 1 failed');
  });
});

describe('a part whose run is ended by an operator', () => {
  test('cancelled through Temporal → the answers of its batch count, only the rest is sent again', async () => {
    stage.api.scenarios.forNextBatch({ timing: { inProgressMs: 16_000, jitter: 0 } });
    const run = await start(chatRequests(4));
    await underWay(run);
    await expect
      .poll(async () => (await stage.api.batches())[0]?.request_counts?.completed, { timeout: 120_000 })
      .toBeGreaterThan(0);
    await child(run, 'r1-p1').cancel();
    const result = await run.result();
    expect(result).toMatchObject({ status: 'completed', rounds: 2, lines: { succeeded: 4 }, errors: null });
    const [second, first] = await stage.api.batches();
    expect(first?.status).toBe('cancelled');
    expect(second?.request_counts?.total).toBe(4 - (first?.request_counts?.completed ?? 0));
  });

  test('terminated → not sent again, since its batch is still running', async () => {
    stage.api.scenarios.forNextBatch(LASTING);
    const run = await start(chatRequests(8));
    await underWay(run);
    const before = await batches();
    await child(run, 'r1-p1').terminate('a test');
    const result = await run.result();
    expect(result).toMatchObject({ rounds: 1, lines: { succeeded: 4, unfinished: 4 } });
    expect((await readLines(result.errors?.uri))[0]?.error).toMatchObject({ code: 'Terminated' });
    expect((await batches()) - before).toBe(1);
  });
});
