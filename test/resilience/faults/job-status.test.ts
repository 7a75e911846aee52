/** Jobs that vanish, blink, stick or step back; downloads that break; inputs that go away in the meantime. */
import { readdir, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import type { BatchSpec } from '../../../src/index.js';
import { timeSkippingStage } from '../../support/stage.js';
import { endpoint, failureOf, readLines, totalOf } from '../../support/runs.js';
import { MINUTE, HOUR } from '../../../dev/stage/timing.js';
import { chatExamples, chatRequests } from '../../support/samples.js';

const stage = timeSkippingStage({
  api: {
    batches: {
      validatingMs: 10 * MINUTE,
      inProgressMs: 4 * HOUR,
      finalizingMs: 10 * MINUTE,
      cancellingMs: MINUTE,
      jitter: 0,
    },
    fineTuning: { validatingMs: MINUTE, queuedMs: MINUTE, runningMs: 2 * HOUR, jitter: 0 },
  },
});
const poll = { min: '10m', max: '10m' };
const startBatch = (more: Partial<BatchSpec> = {}) =>
  stage.jobs.startBatch({ input: { requests: chatRequests(30) }, endpoint, poll, ...more });
const startFineTuning = async () =>
  stage.jobs.startFineTuning({
    model: 'gpt-4o-mini-2024-07-18',
    trainingFile: { uri: await stage.write(chatExamples(10)) },
    poll,
  });

afterEach(() => stage.api.faults.clear());

describe('a job that is missing', () => {
  test.each(['20m', '3h'])(
    'for longer than vanishedAfter (%s) → JobVanished, with since when',
    async (vanishedAfter) => {
      stage.api.scenarios.forNextBatch({ vanishAfterMs: HOUR });
      const failure = await failureOf(await startBatch({ vanishedAfter }));
      expect(failure.type).toBe('JobVanished');
      const [detail] = (failure.details ?? []) as { jobId: string; missingSince: number; lastStatus: string }[];
      expect(detail).toMatchObject({ jobId: expect.stringMatching(/^batch_/), lastStatus: 'in_progress' });
      const looks = stage.api.requests.filter(({ id, status }) => id === detail?.jobId && status === 404);
      const missing = ((looks.at(-1)?.at ?? 0) - (looks[0]?.at ?? 0)) / MINUTE;
      // The API sees a request a little later than the server scheduled it, and time skips in between.
      expect(missing).toBeGreaterThan(vanishedAfter === '20m' ? 15 : 170);
      expect(missing).toBeLessThan(vanishedAfter === '20m' ? 60 : 240);
    },
  );

  test('for a while, again and again → survived, with one warning', async () => {
    stage.api.faults.add({ on: 'batches.retrieve', effect: 'notFound', times: Infinity, probability: 0.5 });
    const result = await (await startBatch({ vanishedAfter: '5h' })).result();
    expect(result.status).toBe('completed');
    expect(result.warnings).toEqual(['The provider answered 404 for the job; looking again']);
  });

  test('when it is to be cancelled → told again as soon as it is back', async () => {
    const run = await startBatch();
    await stage.pass('1h');
    stage.api.faults.add({ on: ['batches.cancel', 'batches.retrieve'], effect: 'notFound', times: 6 });
    await run.cancel();
    expect((await run.result()).status).toBe('cancelled');
  });
});

describe('a job that sticks', () => {
  test.each(['validating', 'in_progress', 'finalizing'] as const)(
    '%s, past its expiry and the grace → JobStuck, with what it has',
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

  test('in cancelling, after a deadline → JobStuck after the grace', async () => {
    stage.api.scenarios.forNextBatch('stuckCancelling');
    const failure = await failureOf(await startBatch({ deadline: '2h', stuckAfter: '1h' }));
    expect(failure.type).toBe('JobStuck');
    expect(failure.message).toContain('still cancelling');
  });
});

describe('reads that mislead', () => {
  test('stale ones, often → the status never steps back', async () => {
    stage.api.scenarios.forNextBatch({ staleReads: 5 });
    const run = await startBatch();
    await stage.pass('90m');
    expect((await run.progress()).status).toBe('in_progress');
    expect((await run.result()).status).toBe('completed');
  });

  test('an unknown status → a warning once, and the wait goes on', async () => {
    stage.api.scenarios.forNextJob({ foreignStatus: { status: 'Compressing', insteadOf: 'running' } });
    const result = await (await startFineTuning()).result();
    expect(result.status).toBe('succeeded');
    expect(result.warnings).toEqual(['Unknown status "compressing" taken as not terminal; the wait goes on']);
  });
});

const inflated = (file: unknown) => ({ ...(file as object), bytes: 10_000_000 });

describe('a download', () => {
  test.each([
    ['cut once', { kind: 'cutBody' }, 1],
    ['cut four times, each after some bytes', { kind: 'cutBody', bytes: 900 }, 4],
    ['cut silently', { kind: 'cutBody', silent: true }, 1],
    ['cut silently four times', { kind: 'cutBody', bytes: 900, silent: true }, 4],
    ['cut before its first byte', { kind: 'cutBody', bytes: 0 }, 1],
  ] as const)('%s → whole, each line once', async (_, effect, times) => {
    const fault = stage.api.faults.add({ on: 'files.content', effect, times });
    const result = await (await startBatch()).result();
    expect(fault.hits).toBe(times);
    expect(result).toMatchObject({ status: 'completed', lines: { succeeded: 30 }, anomalies: { unreadable: 0 } });
    const ids = (await readLines(result.output?.uri)).map((line) => line.custom_id);
    expect(new Set(ids).size).toBe(30);
    expect(ids).toHaveLength(30);
  });

  test('of a file that goes away in the middle → not taken for whole; its lines are missing, and the run says so', async () => {
    stage.api.faults.add({ on: 'files.content', effect: { kind: 'cutBody', bytes: 900 } });
    stage.api.faults.add({ on: 'files.content', effect: { kind: 'status', status: 410 }, times: Infinity });
    const result = await (await startBatch()).result();
    expect(result.lines).toEqual({ succeeded: 0, failed: 0, unfinished: 0, missing: 30 });
    expect(result.warnings[0]).toContain('no longer has the result file');
  });

  test('whose object names a size that is too large → believed after all', async () => {
    stage.api.faults.add({ on: 'files.retrieve', effect: { kind: 'mutate', change: inflated }, times: Infinity });
    stage.api.faults.add({ on: 'files.content', effect: { kind: 'cutBody', bytes: 1e9, silent: true }, times: 1 });
    const result = await (await startBatch()).result();
    expect(result.lines.succeeded).toBe(30);
  });

  test('that breaks all the time → nothing is visible under the final name until it is whole', async () => {
    stage.api.faults.add({ on: 'files.content', effect: { kind: 'cutBody', bytes: 900 } });
    const fault = stage.api.faults.add({ on: 'files.content', effect: 'unavailable', times: Infinity });
    const run = await startBatch();
    await stage.pass('6h');
    const { jobId } = await run.progress();
    const folder = new URL(`${stage.root}${jobId}/`);
    expect(stage.calls('files.content').length).toBeGreaterThan(2);
    const names = await readdir(folder).catch(() => []);
    expect(names.filter((name) => name.endsWith('.jsonl') || name === 'manifest.json')).toEqual([]);
    fault.remove();
    const result = await run.result();
    expect(result.lines.succeeded).toBe(30);
    expect((await readdir(folder)).toSorted((a, b) => a.localeCompare(b))).toEqual(['manifest.json', 'output.jsonl']);
  });
});

describe('the account of the lines', () => {
  test('the input is gone from storage when the batch ends → accounted by the copy at the provider', async () => {
    const uri = await stage.write(chatRequests(10));
    stage.api.scenarios.forNextBatch('missingLines');
    const run = await startBatch({ input: { uri } });
    await stage.pass('1h');
    await rm(fileURLToPath(uri));
    const result = await run.result();
    expect(result.lines).toEqual({ succeeded: 6, failed: 0, unfinished: 0, missing: 4 });
    expect(result.warnings[0]).toContain('is gone or was changed');
  });

  test('an input that was changed after its check → refused, nothing created', async () => {
    const uri = await stage.write(chatRequests(10));
    const fault = stage.api.faults.add({ on: 'files.create', effect: 'unavailable', times: Infinity });
    const run = await startBatch({ input: { uri } });
    await stage.pass('1m');
    await rm(fileURLToPath(uri));
    fault.remove();
    const failure = await failureOf(run);
    expect(failure.type).toBe('InvalidInput');
    expect(stage.calls('batches.create')).toEqual([]);
  });

  test('every anomaly in one batch → each line once, and the sum is that of the input', async () => {
    const faults = [
      'missing',
      'duplicate',
      'unknown-id',
      'malformed',
      'no-response',
      'null-error',
      'status=429',
      'status=0',
    ];
    const requests = chatRequests(32).map((request, index) => {
      const fault = faults[index % 16];
      return fault ? { ...request, body: { ...request.body, user: `local-api:${fault}` } } : request;
    });
    const result = await (await startBatch({ input: { requests } })).result();
    expect(result.lines).toEqual({ succeeded: 20, failed: 6, unfinished: 0, missing: 6 });
    expect(result.anomalies).toEqual({ duplicates: 2, unknownIds: 2, unreadable: 2 });
    expect(totalOf(result)).toBe(32);
    const lines = [...(await readLines(result.output?.uri)), ...(await readLines(result.errors?.uri))];
    expect(new Set(lines.map((line) => line.custom_id)).size).toBe(32);
    expect(lines).toHaveLength(32);
  });
});
