/** Which refusals end a run, and with which message; which are waited out, and for how long. */
import { describe, expect, test } from 'vitest';
import type { StatusEffect } from '../../../src/testing/index.js';
import { faultStage } from '../../support/fault-stage.js';
import { failureOf } from '../../support/runs.js';
import { HOUR } from '../../../dev/stage/timing.js';

const { stage, startBatch, startFineTuning } = faultStage({
  requests: 3,
  pollEvery: '30m',
  providers: { default: { fineTuningSlots: 2 } },
  api: { limits: { concurrentFineTuningJobs: 2 } },
});
/** Milliseconds between the requests of an operation, on the server's clock. */
const pauses = (operation: string, since: number) => {
  const times = stage.api.requests.slice(since).filter((request) => request.operation === operation);
  return times.slice(1).map(({ at }, index) => at - (times[index]?.at ?? 0));
};
/** Message of the last failure of the waiting activity, as the UI shows it. */
const waitingFor = async (run: { handle: { describe: () => Promise<{ raw: unknown }> } }) => {
  const { raw } = await run.handle.describe();
  return (raw as { pendingActivities?: { lastFailure?: { message?: string } }[] }).pendingActivities?.[0]?.lastFailure
    ?.message;
};

describe('a final refusal', () => {
  const refusals: [what: string, effect: Omit<StatusEffect, 'kind'>][] = [
    ['bad key', { status: 401, code: 'invalid_api_key', message: 'Incorrect API key provided.' }],
    ['no permission', { status: 403, message: 'Your project may not use batches.' }],
    ['fine-tuning is closed', { status: 403, code: 'fine_tuning_closed', message: 'New jobs are no longer accepted.' }],
    ['no quota', { status: 429, code: 'insufficient_quota', message: 'You exceeded your current quota.' }],
    ['moderation', { status: 400, code: 'moderation_blocked', message: 'The input was flagged by our moderation.' }],
    ['unknown model', { status: 404, code: 'model_not_found', message: 'The model gpt-0 does not exist.' }],
    ['bad endpoint', { status: 400, code: 'invalid_value', param: 'endpoint', message: 'Invalid endpoint.' }],
  ];

  test.each(refusals)(
    'of a batch: %s → ApiRefused without a retry, with the message of the provider',
    async (_, effect) => {
      stage.api.faults.add({ on: 'batches.create', effect: { kind: 'status', ...effect }, times: Infinity });
      const failure = await failureOf(await startBatch());
      expect(failure.type).toBe('ApiRefused');
      expect(failure.message).toContain(effect.message);
      expect(failure.details?.[0]).toMatchObject({
        operation: 'batches.create',
        status: effect.status,
        code: effect.code ?? null,
        param: effect.param ?? null,
        requestId: expect.stringMatching(/^req_/),
      });
      expect(stage.calls('batches.create')).toHaveLength(1);
    },
  );

  test.each(refusals)('of a fine-tuning job: %s → ApiRefused without a retry', async (_, effect) => {
    stage.api.faults.add({ on: 'fineTuning.create', effect: { kind: 'status', ...effect }, times: Infinity });
    const failure = await failureOf(await startFineTuning());
    expect(failure.type).toBe('ApiRefused');
    expect(failure.message).toContain(effect.message);
    expect(stage.calls('fineTuning.create')).toHaveLength(1);
  });

  test('after the upload, with cleanup → the input is deleted in this case, too', async () => {
    stage.api.faults.add({ on: 'batches.create', effect: 'forbidden' });
    await failureOf(await startBatch({ cleanup: { input: true } }));
    expect(stage.calls('files.delete')).toHaveLength(1);
  });
});

describe('a temporary refusal', () => {
  test.each([
    ['seconds', { retryAfter: 45 }, 45_000],
    ['over a minute', { retryAfter: 600 }, 600_000],
    ['milliseconds', { retryAfterMs: 1_500 }, 1_500],
    ['hours', { retryAfter: 7_200 }, HOUR],
    ['a day and more', { retryAfter: 1_000_000 }, HOUR],
  ])('retry-after in %s → waited for exactly that long, at most an hour', async (_, header, wait) => {
    const since = stage.api.requests.length;
    stage.api.faults.add({ on: 'batches.create', effect: { kind: 'status', status: 429, ...header } });
    expect((await (await startBatch()).result()).status).toBe('completed');
    const [pause = 0] = pauses('batches.create', since);
    expect(pause).toBeGreaterThanOrEqual(wait);
    // The clock advances in real time while the worker is busy.
    expect(pause).toBeLessThan(wait + 30_000);
  });

  test('an outage of hours at the create → created once it is over', async () => {
    stage.api.faults.add({ on: 'batches.create', effect: 'unavailable', times: 40 });
    expect((await (await startBatch()).result()).status).toBe('completed');
    expect(stage.calls('batches.create')).toHaveLength(41);
  });

  test('an outage that outlasts the batch by giveUpAfter → JobStuck, with the reason', async () => {
    stage.api.faults.add({ on: 'batches.retrieve', effect: 'badGateway', times: Infinity });
    stage.api.scenarios.forNextBatch({ timing: { expiresAfterMs: HOUR } });
    const failure = await failureOf(await startBatch({ stuckAfter: '1h', giveUpAfter: '12h' }));
    expect(failure.type).toBe('JobStuck');
    expect(failure.message).toMatch(/has had no answer since .*last known status: validating.*HTTP 502/);
    const reads = stage.api.requests.filter(({ operation }) => operation === 'batches.retrieve');
    expect((reads.at(-1)?.at ?? 0) - (reads[0]?.at ?? 0)).toBeGreaterThan(12 * HOUR);
  });

  test('a file that the create does not see yet → tried again, and refused if it never appears', async () => {
    const missing: StatusEffect = { kind: 'status', status: 400, message: 'Cannot find file file-1' };
    stage.api.faults.add({ on: 'batches.create', effect: missing, times: 2 });
    expect((await (await startBatch()).result()).status).toBe('completed');
    stage.api.faults.add({ on: 'batches.create', effect: missing, times: Infinity });
    const failure = await failureOf(await startBatch());
    expect(failure.type).toBe('ApiRefused');
    expect(failure.message).toContain('Cannot find file');
  });
});

describe('no capacity for a fine-tuning job', () => {
  test('all slots are taken → the create waits with the reason visible, then succeeds', async () => {
    const first = [await startFineTuning(), await startFineTuning()];
    await stage.pass('10m');
    const third = await startFineTuning();
    await stage.pass('5m');
    expect((await third.progress()).phase).toBe('creating');
    expect(await waitingFor(third)).toMatch(/fineTuning\.create: HTTP 429/);
    expect((await third.result()).status).toBe('succeeded');
    for (const run of first) expect((await run.result()).status).toBe('succeeded');
    expect(new Set(stage.failures())).toEqual(new Set(['WaitingForCapacity']));
  });

  test('a daily limit → waits with the reason until it is lifted', async () => {
    const message = 'You have reached the daily limit of running jobs.';
    const code = 'daily_rate_limit_exceeded';
    stage.api.faults.add({
      on: 'fineTuning.create',
      effect: { kind: 'status', status: 429, code, message, retryAfter: 14_400 },
      times: 8,
    });
    const run = await startFineTuning();
    await stage.pass('6h');
    expect(await waitingFor(run)).toContain(message);
    expect((await run.result()).status).toBe('succeeded');
    expect(stage.calls('fineTuning.create')).toHaveLength(9);
  });

  test('leaveFreeSlots: one of two slots is taken → waits, so that the other stays free', async () => {
    const first = await startFineTuning();
    await stage.pass('10m');
    const second = await startFineTuning({ leaveFreeSlots: 1 });
    await stage.pass('30m');
    expect((await stage.api.fineTuningJobs()).filter(({ status }) => status === 'running')).toHaveLength(1);
    expect(await waitingFor(second)).toBe(
      '1 of 2 fine-tuning slots are in use and 1 must stay free; waiting for a slot',
    );
    expect((await second.result()).status).toBe('succeeded');
    expect((await first.result()).status).toBe('succeeded');
  });

  test('cancel while it waits → never created', async () => {
    stage.api.faults.add({ on: 'fineTuning.create', effect: 'rateLimited', times: Infinity });
    const run = await startFineTuning();
    await stage.pass('10m');
    await run.cancel();
    expect(await run.result()).toMatchObject({ status: 'cancelled', jobId: null });
  });
});
