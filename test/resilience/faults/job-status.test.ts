/** Jobs that vanish, for a while or forever, that are stuck, and whose reads mislead. */
import { describe, expect, test } from 'vitest';
import { faultStage } from '../../support/fault-stage.js';
import { failureOf } from '../../support/runs.js';
import { MINUTE, HOUR } from '../../../dev/stage/timing.js';

const { stage, startBatch, startFineTuning } = faultStage({
  requests: 30,
  pollEvery: '10m',
  api: { batches: { validatingMs: 10 * MINUTE, inProgressMs: 4 * HOUR, finalizingMs: 10 * MINUTE } },
});

describe('a job that is missing', () => {
  test.each(['20m', '3h'])(
    'for longer than vanishedAfter (%s) → JobVanished, with the time of the first 404',
    async (vanishedAfter) => {
      stage.api.scenarios.forNextBatch({ vanishAfterMs: HOUR });
      const failure = await failureOf(await startBatch({ vanishedAfter }));
      expect(failure.type).toBe('JobVanished');
      const [detail] = (failure.details ?? []) as { jobId: string; missingSince: number; lastStatus: string }[];
      expect(detail).toMatchObject({ jobId: expect.stringMatching(/^batch_/), lastStatus: 'in_progress' });
      const reads = stage.api.requests.filter(({ id, status }) => id === detail?.jobId && status === 404);
      const missing = ((reads.at(-1)?.at ?? 0) - (reads[0]?.at ?? 0)) / MINUTE;
      // The API receives a request a little later than the server scheduled it, and time skips in between.
      expect(missing).toBeGreaterThan(vanishedAfter === '20m' ? 10 : 150);
      expect(missing).toBeLessThan(vanishedAfter === '20m' ? 90 : 300);
    },
  );

  test('for a while, several times → the run continues, with one warning', async () => {
    stage.api.faults.add({ on: 'batches.retrieve', effect: 'notFound', times: Infinity, probability: 0.5 });
    const result = await (await startBatch({ vanishedAfter: '5h' })).result();
    expect(result.status).toBe('completed');
    expect(result.warnings).toEqual(['The provider returned 404 for the job; polling continues']);
  });

  test('when it is to be cancelled → the cancel is sent again as soon as it is back', async () => {
    const run = await startBatch();
    await stage.pass('1h');
    stage.api.faults.add({ on: ['batches.cancel', 'batches.retrieve'], effect: 'notFound', times: 6 });
    await run.cancel();
    expect((await run.result()).status).toBe('cancelled');
  });
});

describe('a job that is stuck', () => {
  test.each(['validating', 'in_progress', 'finalizing'] as const)(
    '%s, past its expiry and stuckAfter → JobStuck, with its results so far',
    async (status) => {
      stage.api.scenarios.forNextBatch({ stuckIn: [status] });
      const run = await startBatch({ stuckAfter: '3h', poll: { min: '3h', max: '3h' } });
      const failure = await failureOf(run);
      expect(failure.type).toBe('JobStuck');
      const [detail] = (failure.details ?? []) as { status: string; since: number; result: { lines: never } }[];
      expect(detail).toMatchObject({ status, result: { lines: { succeeded: 0, missing: 30 } } });
      const [batch] = await stage.api.batches();
      expect(detail?.since).toBe((batch?.expires_at ?? 0) + 3 * 3_600);
    },
  );

  test('cancelling, after a deadline → JobStuck after stuckAfter', async () => {
    stage.api.scenarios.forNextBatch('stuckCancelling');
    const failure = await failureOf(await startBatch({ deadline: '2h', stuckAfter: '1h' }));
    expect(failure.type).toBe('JobStuck');
    expect(failure.message).toContain('still cancelling');
  });
});

describe('reads that mislead', () => {
  test('often stale → the status never steps back', async () => {
    stage.api.scenarios.forNextBatch({ staleReads: 5 });
    const run = await startBatch();
    await stage.pass('90m');
    expect((await run.progress()).status).toBe('in_progress');
    expect((await run.result()).status).toBe('completed');
  });

  test('an unknown status → one warning, and the wait continues', async () => {
    stage.api.scenarios.forNextFineTuningJob({ foreignStatus: { status: 'Warming_up', insteadOf: 'running' } });
    const result = await (await startFineTuning()).result();
    expect(result.status).toBe('succeeded');
    expect(result.warnings).toEqual(['Unknown status "warming_up", treated as not terminal']);
  });
  test.each([
    ['completed', 'SUCCESS'],
    ['cancelled', 'canceled'],
    ['expired', 'TIMEOUT_EXCEEDED'],
  ] as const)('a batch that ends %s in the word %s → that end', async (end, word) => {
    stage.api.scenarios.forNextBatch({
      foreignStatus: { status: word, insteadOf: end },
      ...(end === 'expired' && { timing: { inProgressMs: 30 * HOUR } }),
    });
    const run = await startBatch();
    await stage.pass('30m');
    if (end === 'cancelled') await run.cancel();
    const result = await run.result();
    expect([result.status, result.warnings.filter((text) => text.includes('Unknown status'))]).toEqual([end, []]);
  });

  test('a fine-tuning job that ends in the word COMPLETED → succeeded', async () => {
    stage.api.scenarios.forNextFineTuningJob({ foreignStatus: { status: 'COMPLETED', insteadOf: 'succeeded' } });
    expect(await (await startFineTuning()).result()).toMatchObject({ status: 'succeeded', warnings: [] });
  });
});
