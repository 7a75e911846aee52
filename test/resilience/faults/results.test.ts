/** Downloads that break, inputs that disappear before the batch ends, and result files with anomalies. */
import { readdir, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import type { BatchSpec } from '../../../src/index.js';
import { timeSkippingStage } from '../../support/stage.js';
import { endpoint, failureOf, readLines, totalOf } from '../../support/runs.js';
import { MINUTE, HOUR } from '../../../dev/stage/timing.js';
import { chatRequests } from '../../support/samples.js';

const stage = timeSkippingStage({
  api: {
    batches: {
      validatingMs: 10 * MINUTE,
      inProgressMs: 4 * HOUR,
      finalizingMs: 10 * MINUTE,
      cancellingMs: MINUTE,
      jitter: 0,
    },
  },
});
const poll = { min: '10m', max: '10m' };
const startBatch = (more: Partial<BatchSpec> = {}) =>
  stage.jobs.startBatch({ input: { requests: chatRequests(30) }, endpoint, poll, ...more });

afterEach(() => stage.api.faults.clear());

const inflated = (file: unknown) => ({ ...(file as object), bytes: 10_000_000 });

describe('a download', () => {
  test.each([
    ['cut once', { kind: 'cutBody' }, 1],
    ['cut four times, each after some bytes', { kind: 'cutBody', bytes: 900 }, 4],
    ['cut silently', { kind: 'cutBody', silent: true }, 1],
    ['cut silently four times', { kind: 'cutBody', bytes: 900, silent: true }, 4],
    ['cut before its first byte', { kind: 'cutBody', bytes: 0 }, 1],
  ] as const)('%s → complete, each line once', async (_, effect, times) => {
    const fault = stage.api.faults.add({ on: 'files.content', effect, times });
    const result = await (await startBatch()).result();
    expect(fault.hits).toBe(times);
    expect(result).toMatchObject({ status: 'completed', lines: { succeeded: 30 }, anomalies: { unreadable: 0 } });
    const ids = (await readLines(result.output?.uri)).map((line) => line.custom_id);
    expect(new Set(ids).size).toBe(30);
    expect(ids).toHaveLength(30);
  });

  test('of a file that disappears in between → not taken as complete; its lines are missing, with a warning', async () => {
    stage.api.faults.add({ on: 'files.content', effect: { kind: 'cutBody', bytes: 900 } });
    stage.api.faults.add({ on: 'files.content', effect: { kind: 'status', status: 410 }, times: Infinity });
    const result = await (await startBatch()).result();
    expect(result.lines).toEqual({ succeeded: 0, failed: 0, unfinished: 0, missing: 30 });
    expect(result.warnings[0]).toContain('was refused with HTTP 410');
  });

  test('whose file object reports too large a size → accepted after all', async () => {
    stage.api.faults.add({ on: 'files.retrieve', effect: { kind: 'mutate', change: inflated }, times: Infinity });
    stage.api.faults.add({ on: 'files.content', effect: { kind: 'cutBody', bytes: 1e9, silent: true }, times: 1 });
    const result = await (await startBatch()).result();
    expect(result.lines.succeeded).toBe(30);
  });

  test('that breaks every time → no file under its final name until it is complete', async () => {
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

describe('line counts', () => {
  test('an input that is gone from storage when the batch ends → counted by the copy at the provider', async () => {
    const uri = await stage.write(chatRequests(10));
    stage.api.scenarios.forNextBatch('missingLines');
    const run = await startBatch({ input: { uri } });
    await stage.pass('1h');
    await rm(fileURLToPath(uri));
    const result = await run.result();
    expect(result.lines).toEqual({ succeeded: 6, failed: 0, unfinished: 0, missing: 4 });
    expect(result.warnings[0]).toContain('was deleted or changed');
  });

  test('an input that changed after its check → refused, nothing created', async () => {
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
