/** Once a job exists, no refusal ends its run: it needs attention, and goes on by itself when that is mended. */
import { describe, expect, test } from 'vitest';
import { HOUR } from '../../../dev/stage/timing.js';
import type { FaultEffect, Operation } from '../../../src/testing/index.js';
import { failureOf, historyLength } from '../../support/runs.js';
import { chatRequests } from '../../support/samples.js';
import { faultStage } from '../../support/fault-stage.js';

const { stage, startBatch, startFineTuning } = faultStage({
  requests: 4,
  pollEvery: '20m',
  api: { batches: { inProgressMs: 2 * HOUR } },
});
const refuse = (on: Operation | Operation[], effect: FaultEffect = KEY_REVOKED) =>
  stage.api.faults.add({ on, effect, times: Infinity });

const KEY_REVOKED: FaultEffect = {
  kind: 'status',
  status: 401,
  code: 'invalid_api_key',
  message: 'The key was revoked.',
};
const REFUSALS: [string, FaultEffect][] = [
  ['401', KEY_REVOKED],
  ['403', { kind: 'status', status: 403, message: 'Your project was archived.' }],
  ['400', { kind: 'status', status: 400, message: 'Unsupported api-version.' }],
  ['405', { kind: 'status', status: 405, message: 'Method not allowed.' }],
  [
    'no quota',
    { kind: 'status', status: 429, code: 'insufficient_quota', message: 'You exceeded your current quota.' },
  ],
];

describe('a refusal for a while', () => {
  test.each(REFUSALS)('%s on the reads → attention with its words, then the results', async (_, effect) => {
    const run = await startBatch();
    await stage.pass('30m');
    const fault = refuse('batches.retrieve', effect);
    const { message = '' } = effect as { message?: string };
    await stage.pass('9h');
    const { attention, status, phase, warnings } = await run.progress();
    expect(attention).toMatchObject({ operation: 'read', message: expect.stringContaining(message) });
    expect({ status, phase }).toEqual({ status: 'in_progress', phase: 'waiting' });
    expect(warnings).toHaveLength(1);
    // Growing intervals of up to an hour.
    expect(fault.hits).toBeGreaterThan(12);
    expect(fault.hits).toBeLessThan(22);
    stage.api.faults.clear();
    const result = await run.result();
    expect(result).toMatchObject({ status: 'completed', lines: { succeeded: 4 } });
    expect(result.warnings).toEqual([expect.stringContaining(message)]);
    expect((await run.progress()).attention).toBeNull();
  });

  test('wake, once the key is mended → asked at once', async () => {
    const run = await startBatch();
    await stage.pass('30m');
    const fault = refuse('batches.retrieve');
    await stage.pass('12h');
    fault.remove();
    const since = stage.api.requests.length;
    await run.wake();
    expect((await run.result()).status).toBe('completed');
    const [read] = stage.api.requests.slice(since).filter(({ operation }) => operation === 'batches.retrieve');
    expect(read?.status).toBe(200);
  });

  test.each(['files.content', 'fineTuning.cancel', 'fineTuning.retrieve'] as const)('%s → goes on', async (on) => {
    const isBatch = on === 'files.content';
    const deadline = on === 'fineTuning.cancel' ? '1h' : undefined;
    const fault = refuse(on);
    const run = isBatch ? await startBatch() : await startFineTuning({ ...(deadline && { deadline }) });
    await stage.pass(deadline ? '100m' : '8h');
    expect(fault.hits).toBeGreaterThan(0);
    expect((await run.progress()).attention?.message).toContain('revoked');
    stage.api.faults.clear();
    const { status, warnings } = await run.result();
    expect(status).toBe(isBatch ? 'completed' : deadline ? 'cancelled' : 'succeeded');
    expect(warnings.join()).toContain('revoked');
  });

  test('the details page → says that the run needs attention, in the words of the provider', async () => {
    const run = await startBatch();
    await stage.pass('30m');
    refuse('batches.retrieve', { kind: 'status', status: 403, message: 'Ask *your* admin.' });
    await stage.pass('2h');
    const { currentDetails } = (await run.handle.query('__temporal_workflow_metadata')) as { currentDetails: string };
    expect(currentDetails).toMatch(/\*\*Needs attention:\*\* .* since \d{4}-/);
    // In a code span, where markup has no meaning.
    expect(currentDetails).toMatch(/`[^`\n]*Ask \*your\* admin[^`\n]*`/);
    stage.api.faults.clear();
    await run.result();
  });
});

describe('a refusal for good', () => {
  test('of the reads → JobStuck, giveUpAfter after the batch should have ended; polls cost little history', async () => {
    const run = await startBatch();
    await stage.pass('30m');
    refuse('batches.retrieve');
    const failure = await failureOf(run);
    expect(failure.type).toBe('JobStuck');
    expect(failure.message).toContain('The key was revoked.');
    const [batch] = await stage.api.batches();
    const last = stage.api.requests.findLast(({ operation }) => operation === 'batches.retrieve');
    const days = ((last?.at ?? 0) / 1_000 - (batch?.expires_at ?? 0)) / 86_400;
    expect(days).toBeGreaterThan(6.9);
    expect(days).toBeLessThan(7.2);
    expect(failure.details?.[0]).toMatchObject({ jobId: batch?.id, status: 'in_progress' });
    expect(await historyLength(run.handle)).toBeLessThan(3_000);
  });

  test('of the results → JobStuck with the status and the ids of the files', async () => {
    refuse('files.content');
    const failure = await failureOf(await startBatch({ giveUpAfter: '1d' }));
    const [batch] = await stage.api.batches();
    expect(failure.type).toBe('JobStuck');
    expect(failure.details?.[0]).toMatchObject({
      jobId: batch?.id,
      status: 'completed',
      atProvider: { outputFileId: batch?.output_file_id },
      result: null,
    });
  });

  test('of the cancel → the end of the job still counts', async () => {
    const run = await startBatch();
    await stage.pass('30m');
    refuse('batches.cancel', { kind: 'status', status: 403, message: 'This key may not cancel.' });
    await run.cancel('enough');
    const result = await run.result();
    expect(result).toMatchObject({ status: 'completed', lines: { succeeded: 4 }, cancellation: { reason: 'enough' } });
    expect(result.warnings.join()).toContain('This key may not cancel.');
    expect((await run.progress()).attention).toBeNull();
  });

  test('of the clean-up → the result, with a warning', async () => {
    refuse('files.delete');
    const result = await (await startBatch({ cleanup: { input: true, output: true } })).result();
    expect(result).toMatchObject({ status: 'completed', lines: { succeeded: 4 } });
    expect(result.warnings.join()).toContain('Could not delete');
  });
});

describe('a cancel', () => {
  test('answered as accepted, and lost → sent again until the job is cancelled', async () => {
    stage.api.scenarios.forNextBatch({ stuckIn: ['in_progress'] });
    const run = await startBatch();
    await stage.pass('30m');
    const [batch] = await stage.api.batches();
    const lost = stage.api.faults.add({
      on: 'batches.cancel',
      times: 3,
      effect: { kind: 'status', status: 200, body: { ...batch, status: 'cancelling' } },
    });
    await run.cancel();
    expect((await run.result()).status).toBe('cancelled');
    expect(lost.hits).toBe(3);
    expect(stage.calls('batches.cancel')).toHaveLength(4);
  });

  test('with a retry-after of a day → sent again within minutes', async () => {
    const run = await startBatch();
    await stage.pass('30m');
    const effect: FaultEffect = { kind: 'status', status: 429, retryAfter: 86_400 };
    stage.api.faults.add({ on: 'batches.cancel', effect, times: 2 });
    await run.cancel();
    const { status, timestamps, cancellation } = await run.result();
    expect(status).toBe('cancelled');
    expect((timestamps.endedAt ?? 0) - (cancellation?.at ?? 0)).toBeLessThan(15 * 60);
  });
});

describe('an output folder outside the storage roots', () => {
  const outputUri = 'file:///elsewhere/results/';

  test.each([
    ['a batch', () => startBatch({ outputUri })],
    ['a fine-tuning job', () => startFineTuning({ outputUri })],
    [
      'a bulk batch',
      async () => stage.jobs.startBulkBatch({ input: { uri: await stage.write(chatRequests(2)) }, outputUri }),
    ],
  ])('%s → StorageRefused before anything is uploaded', async (_, start) => {
    const failure = await failureOf(await start());
    expect(failure.type).toBe('StorageRefused');
    expect(failure.message).toContain('outside the storage roots');
    expect(stage.calls()).toEqual([]);
  });
});
