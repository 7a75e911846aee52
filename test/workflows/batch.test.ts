import { readFile } from 'node:fs/promises';
import { CancelledFailure, WorkflowFailedError } from '@temporalio/client';
import { toFile } from 'openai';
import { describe, expect, test } from 'vitest';
import { chatRequest, chatRequests, jsonl } from '../support/samples.js';
import { timeSkippingStage } from '../support/stage.js';
import { endpoint, failureOf, historyLength, readLines } from '../support/runs.js';
import { MINUTE, HOUR } from '../../dev/stage/timing.js';

describe('runBatch', () => {
  const stage = timeSkippingStage();

  test('completion: 24 h polled all day → the manifest, each line once, within 60 events', async () => {
    stage.api.scenarios.forNextBatch({
      timing: { validatingMs: MINUTE, inProgressMs: 23 * HOUR, finalizingMs: 30 * MINUTE, jitter: 0 },
    });
    const run = await stage.jobs.startBatch({ input: { uri: await stage.write(chatRequests(40)) }, endpoint });
    const result = await run.result();

    expect(result).toMatchObject({
      status: 'completed',
      requestCounts: { total: 40, completed: 40, failed: 0 },
      lines: { succeeded: 40, failed: 0, unfinished: 0, missing: 0 },
      anomalies: { duplicates: 0, unknownIds: 0, unreadable: 0 },
      errors: null,
      cancellation: null,
      warnings: [],
    });
    expect(result.usage.totalTokens).toBeGreaterThan(0);
    expect(result.output?.lines).toBe(40);
    const ids = (await readLines(result.output?.uri)).map((line) => line.custom_id);
    expect(ids).toHaveLength(40);
    expect(new Set(ids)).toEqual(new Set(chatRequests(40).map((request) => request.custom_id)));
    expect(stage.calls('batches.retrieve').length).toBeGreaterThan(50);
    expect(stage.calls('batches.create')).toHaveLength(1);
    expect(await historyLength(run.handle)).toBeLessThanOrEqual(60);
  });

  test('inline requests → a file in storage, uploaded and answered', async () => {
    const run = await stage.jobs.startBatch({ input: { requests: chatRequests(3) }, endpoint });
    const result = await run.result();
    expect(result.lines).toEqual({ succeeded: 3, failed: 0, unfinished: 0, missing: 0 });
  });

  test('input already at the provider → checked there, not uploaded again', async () => {
    const content = await toFile(Buffer.from(jsonl(chatRequests(4))), 'requests.jsonl');
    const { id: fileId } = await stage.openai.files.create({ file: content, purpose: 'batch' });
    const before = stage.calls('files.create').length;
    const run = await stage.jobs.startBatch({ input: { fileId }, endpoint });
    const result = await run.result();
    expect(result.lines.succeeded).toBe(4);
    expect(stage.calls('files.create')).toHaveLength(before);
  });

  test('some lines fail → they are in the errors file, the rest in the output', async () => {
    const requests = [...chatRequests(5), chatRequest(5, { user: 'local-api:status=429' })];
    const run = await stage.jobs.startBatch({ input: { requests }, endpoint });
    const result = await run.result();
    expect(result.lines).toEqual({ succeeded: 5, failed: 1, unfinished: 0, missing: 0 });
    const [line] = await readLines(result.errors?.uri);
    expect(line?.custom_id).toBe('request-5');
  });

  test('expiry → ends expired with the partial results', async () => {
    stage.api.scenarios.forNextBatch('expiresPartly');
    const run = await stage.jobs.startBatch({ input: { requests: chatRequests(20) }, endpoint });
    const result = await run.result();
    expect(result.status).toBe('expired');
    expect(result.lines.succeeded).toBeGreaterThan(0);
    expect(result.lines.unfinished).toBeGreaterThan(0);
    expect(result.lines.succeeded + result.lines.unfinished).toBe(20);
    expect(result.output?.lines).toBe(result.lines.succeeded);
    expect(result.errors?.lines).toBe(result.lines.unfinished);
  });

  test('a bad file → InvalidInput with line and field, nothing uploaded', async () => {
    const bad = [chatRequest(0), { ...chatRequest(0) }, { ...chatRequest(2), url: '/v1/embeddings' }];
    const failure = await failureOf(await stage.jobs.startBatch({ input: { uri: await stage.write(bad) }, endpoint }));
    expect(failure.type).toBe('InvalidInput');
    expect(failure.nonRetryable).toBe(true);
    expect(failure.details?.[0]).toMatchObject({
      total: 2,
      faults: [
        { line: 2, field: 'custom_id' },
        { line: 3, field: 'url' },
      ],
    });
    expect(stage.calls()).toEqual([]);
  });

  test('a bad spec from any client → InvalidInput with the field, no activity', async () => {
    const run = await stage.temporal.client.workflow.start('runBatch', {
      taskQueue: stage.temporal.taskQueue,
      workflowId: 'bad-spec',
      args: [{ input: { uri: 'file:///x' }, endpoint, completion: '24h' }],
    });
    const failure = await failureOf(run);
    expect(failure.type).toBe('InvalidInput');
    expect(JSON.stringify(failure.details)).toContain('completion');
    expect(await historyLength(run)).toBeLessThanOrEqual(6);
  });

  test.each([
    ['of another file', { file: { uri: 'file:///other.jsonl', bytes: 1, sha256: '0'.repeat(64) } }, 'file.uri'],
    ['that is incomplete', { file: { uri: 'file:///x.jsonl' } }, 'file.bytes'],
  ])('second argument: a checked input %s → InvalidInput with its field, no activity', async (_, checked, field) => {
    const run = await stage.temporal.client.workflow.start('runBatch', {
      taskQueue: stage.temporal.taskQueue,
      workflowId: `bad-checked-${field}`,
      args: [
        { input: { uri: 'file:///x.jsonl' }, endpoint },
        { requests: 1, model: null, ...checked },
      ],
    });
    const failure = await failureOf(run);
    expect(failure.type).toBe('InvalidInput');
    expect(failure.details?.[0]).toHaveProperty('faults.0.field', field);
    expect(await historyLength(run)).toBeLessThanOrEqual(6);
  });

  test('the batch fails at the provider → BatchFailed with the errors', async () => {
    stage.api.scenarios.forNextBatch('failsOnTokenLimit');
    const failure = await failureOf(await stage.jobs.startBatch({ input: { requests: chatRequests(2) }, endpoint }));
    expect(failure.type).toBe('BatchFailed');
    expect(failure.details?.[0]).toMatchObject({ errors: [{ code: 'token_limit_exceeded' }] });
    expect(failure.details?.[0]).toHaveProperty('batchId', expect.stringMatching(/^batch_/));
  });

  describe('cancel', () => {
    test('before the batch exists → never created', async () => {
      const run = await stage.temporal.client.workflow.signalWithStart('runBatch', {
        taskQueue: stage.temporal.taskQueue,
        workflowId: 'cancel-first',
        args: [{ input: { requests: chatRequests(2) }, endpoint }],
        signal: 'cancel',
        signalArgs: ['changed my mind'],
      });
      expect(await run.result()).toMatchObject({
        status: 'cancelled',
        batchId: null,
        cancellation: { by: 'signal', reason: 'changed my mind' },
      });
      expect(stage.calls('batches.create')).toEqual([]);
    });

    test('while the create is retried → the create stops, no batch exists', async () => {
      const fault = stage.api.faults.add({
        on: 'batches.create',
        times: Infinity,
        effect: { kind: 'status', status: 503 },
      });
      const run = await stage.jobs.startBatch({ input: { requests: chatRequests(2) }, endpoint });
      await stage.pass('10m');
      await run.cancel();
      const result = await run.result();
      fault.remove();
      expect(result).toMatchObject({ status: 'cancelled', batchId: null });
    });

    test.each([
      ['validating', '5m', 0],
      ['in_progress', '2h', 1],
    ])('while %s → cancelled at the provider, partial results kept', async (status, wait, atLeast) => {
      const run = await stage.jobs.startBatch({ input: { requests: chatRequests(30) }, endpoint });
      await stage.pass(wait);
      expect((await run.progress()).status).toBe(status);
      await run.cancel('too slow');
      const result = await run.result();
      expect(result.status).toBe('cancelled');
      expect(result.cancellation).toMatchObject({ by: 'signal', reason: 'too slow' });
      expect(result.lines.succeeded).toBeGreaterThanOrEqual(atLeast);
      expect(result.lines.succeeded + result.lines.unfinished).toBe(30);
      expect(stage.calls('batches.cancel')).toHaveLength(1);
      expect((await stage.api.batches())[0]?.status).toBe('cancelled');
    });

    test('while finalizing → everything answered is kept', async () => {
      const run = await stage.jobs.startBatch({ input: { requests: chatRequests(10) }, endpoint });
      await stage.pass('268m');
      expect((await run.progress()).status).toBe('finalizing');
      await run.cancel();
      const result = await run.result();
      expect(['cancelled', 'completed']).toContain(result.status);
      expect(result.lines.succeeded).toBe(10);
    });

    test('that loses the race → ends completed and reports the cancel', async () => {
      stage.api.scenarios.forNextBatch('cancelLosesRace');
      const run = await stage.jobs.startBatch({ input: { requests: chatRequests(6) }, endpoint });
      await stage.pass('1h');
      await run.cancel();
      const result = await run.result();
      expect(result.status).toBe('completed');
      expect(result.lines.succeeded).toBe(6);
      expect(result.cancellation?.by).toBe('signal');
    });
  });

  describe('native cancellation', () => {
    test.each([
      ['while validating', '5m'],
      ['while in progress', '2h'],
      ['while finalizing', '260m'],
    ])('%s → cancelled at the provider, then the run is Cancelled', async (_, wait) => {
      const run = await stage.jobs.startBatch({ input: { requests: chatRequests(8) }, endpoint });
      await stage.pass(wait);
      await run.handle.cancel();
      const error = await run.result().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(WorkflowFailedError);
      expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
      for (const batch of await stage.api.batches()) {
        expect(['completed', 'failed', 'expired', 'cancelled']).toContain(batch.status);
      }
    });

    test('partial results → kept in storage with the manifest', async () => {
      const run = await stage.jobs.startBatch({ input: { requests: chatRequests(8) }, endpoint });
      await stage.pass('3h');
      const { jobId } = await run.progress();
      await run.handle.cancel();
      await run.result().catch(() => undefined);
      const manifest: unknown = JSON.parse(await readFile(new URL(`${stage.root}${jobId}/manifest.json`), 'utf8'));
      expect(manifest).toMatchObject({ status: 'cancelled', batchId: jobId, cancellation: { by: 'workflow' } });
    });
  });

  test('deadline: passed while in progress → cancelled with partial results', async () => {
    const run = await stage.jobs.startBatch({ input: { requests: chatRequests(12) }, endpoint, deadline: '3h' });
    const result = await run.result();
    expect(result.status).toBe('cancelled');
    expect(result.cancellation?.by).toBe('deadline');
    expect(result.lines.succeeded).toBeGreaterThan(0);
  });

  test('deadline: a moment in the past → never created', async () => {
    const run = await stage.jobs.startBatch({
      input: { requests: chatRequests(2) },
      endpoint,
      deadline: 1_500_000_000,
    });
    expect(await run.result()).toMatchObject({ status: 'cancelled', batchId: null, cancellation: { by: 'deadline' } });
    expect(stage.calls('files.create')).toEqual([]);
  });

  test('wake → the batch is read immediately, and the wake alone changes nothing', async () => {
    const run = await stage.jobs.startBatch({
      input: { requests: chatRequests(2) },
      endpoint,
      poll: { min: '3h', max: '3h' },
    });
    await stage.pass('5m');
    const before = stage.calls('batches.retrieve').length;
    await run.wake();
    await stage.pass('1s');
    expect(stage.calls('batches.retrieve').length).toBe(before + 1);
    expect((await run.progress()).status).toBe('validating');
    await stage.pass('10m');
    await run.wake();
    await stage.pass('1s');
    expect((await run.progress()).status).toBe('in_progress');
    await run.result();
  });

  test('cleanup → input and output are deleted at the provider after the download', async () => {
    const before = new Set((await stage.api.files()).map(({ id }) => id));
    const run = await stage.jobs.startBatch({
      input: { requests: chatRequests(2) },
      endpoint,
      cleanup: { input: true, output: true },
    });
    const result = await run.result();
    expect(result.lines.succeeded).toBe(2);
    expect((await stage.api.files()).filter(({ id }) => !before.has(id))).toEqual([]);
  });
});
