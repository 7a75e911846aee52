/**
 * A job is created exactly once, whatever answers are lost; if that cannot be known, the run fails instead of paying
 * twice.
 */
import { afterEach, describe, expect, test } from 'vitest';
import type { BatchSpec, FineTuningSpec } from '../../../src/index.js';
import type { FaultEffect, FaultName } from '../../../src/testing/index.js';
import { timeSkippingStage } from '../../support/stage.js';
import { endpoint, failureOf, jobsOf } from '../../support/runs.js';
import { MINUTE, HOUR } from '../../../dev/stage/timing.js';
import { chatExamples, chatRequests } from '../../support/samples.js';

const stage = timeSkippingStage({
  providers: { impatient: { timeoutMs: 400 }, bare: { metadata: false } },
  api: { batches: { validatingMs: MINUTE, inProgressMs: HOUR, finalizingMs: MINUTE, cancellingMs: MINUTE, jitter: 0 } },
});
const poll = { min: '30m', max: '30m' };
const startBatch = (more: Partial<BatchSpec> = {}) =>
  stage.jobs.startBatch({ input: { requests: chatRequests(3) }, endpoint, poll, ...more });
const startFineTuning = async (more: Partial<FineTuningSpec> = {}) => {
  const trainingFile = { uri: await stage.write(chatExamples(10)) };
  return stage.jobs.startFineTuning({ model: 'gpt-4o-mini-2024-07-18', trainingFile, poll, ...more });
};

afterEach(() => stage.api.faults.clear());

/** Creates that the provider carries out, and whose answer is wrong or lost. */
const COMMITTED: [what: string, effect: FaultName | FaultEffect, provider?: string][] = [
  ['the answer is lost', 'lostAnswer'],
  ['500, wrongly', { kind: 'status', status: 500, handled: true }],
  ['503, wrongly', { kind: 'status', status: 503, handled: true, retryAfter: 90 }],
  ['429, wrongly', { kind: 'status', status: 429, handled: true }],
  ['408, wrongly', { kind: 'status', status: 408, handled: true }],
  ['the request times out', 'timeoutAfterHandling', 'impatient'],
  ['the body breaks off', 'cutBody'],
  ['the body is neither a batch nor a job', 'emptyObject'],
];

describe('a create that was carried out', () => {
  test.each(COMMITTED)('of a batch: %s → found by its key and adopted', async (_, effect, provider = 'default') => {
    stage.api.faults.add({ on: 'batches.create', effect });
    const run = await startBatch({ provider });
    const result = await run.result();
    expect((await jobsOf(stage.api, run.workflowId)).map(({ id }) => id)).toEqual([result.batchId]);
    expect(stage.calls('batches.create')).toHaveLength(1);
    expect(result.warnings).toEqual([]);
  });

  test.each(COMMITTED)('of a fine-tuning job: %s → adopted', async (_, effect, provider = 'default') => {
    stage.api.faults.add({ on: 'fineTuning.create', effect });
    const run = await startFineTuning({ provider });
    const result = await run.result();
    expect((await jobsOf(stage.api, run.workflowId)).map(({ id }) => id)).toEqual([result.jobId]);
    expect(stage.calls('fineTuning.create')).toHaveLength(1);
  });

  test('of a file: the answer is lost several times → one file, adopted by its name, which expires', async () => {
    stage.api.faults.add({ on: 'files.create', effect: 'lostAnswer', times: 3 });
    const run = await startBatch();
    await stage.pass('10m');
    const files = (await stage.api.files()).filter(({ filename }) => filename.startsWith(run.workflowId));
    expect(files).toHaveLength(1);
    expect(stage.calls('files.create')).toHaveLength(1);
    expect((files[0]?.expires_at ?? 0) - (files[0]?.created_at ?? 0)).toBe(30 * 24 * 3_600);
    await run.result();
  });

  test('whose list lags behind, so that a second is created → one of them is cancelled', async () => {
    // The create is carried out, its answer is lost, and the first list does not show the batch.
    stage.api.faults.add({ on: 'batches.create', effect: { kind: 'status', status: 500, handled: true } });
    stage.api.faults.add({
      on: 'batches.list',
      effect: { kind: 'mutate', change: () => ({ object: 'list', data: [] }) },
    });
    const run = await startBatch();
    const result = await run.result();
    const jobs = await jobsOf(stage.api, run.workflowId);
    expect(jobs.map(({ status }) => status).toSorted((a, b) => a.localeCompare(b))).toEqual(['cancelled', 'completed']);
    expect(jobs.find(({ status }) => status === 'completed')?.id).toBe(result.batchId);
  });

  test('that is listed only when the run already waits → searched for again and cancelled, with a warning', async () => {
    stage.api.faults.add({ on: 'batches.create', effect: { kind: 'status', status: 500, handled: true } });
    const empty = { kind: 'mutate', change: () => ({ object: 'list', data: [] }) } as const;
    stage.api.faults.add({ on: 'batches.list', effect: empty, times: 2 });
    const run = await startBatch();
    const result = await run.result();
    const jobs = await jobsOf(stage.api, run.workflowId);
    const duplicate = jobs.find(({ id }) => id !== result.batchId);
    expect(jobs).toHaveLength(2);
    expect(duplicate?.status).toBe('cancelled');
    expect(result.warnings).toEqual([`Cancelled ${duplicate?.id}: a duplicate of this run's job, created late`]);
  });
});

const pairs = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`key-${index}`, `value ${index}`]));

describe('metadata', () => {
  test("the user's fifteen pairs → all at the provider, with the key as the sixteenth", async () => {
    const run = await startBatch({ metadata: pairs(15) });
    await run.result();
    const [job] = await jobsOf(stage.api, run.workflowId);
    expect(job?.metadata).toMatchObject(pairs(15));
    expect(Object.keys(job?.metadata ?? {})).toHaveLength(16);
  });

  test('a sixteenth pair → refused before anything is started or called', async () => {
    await expect(startBatch({ metadata: pairs(16) })).rejects.toThrow(/at most 15 pairs/);
    const run = await stage.temporal.client.workflow.start('runFineTuning', {
      taskQueue: stage.temporal.taskQueue,
      workflowId: 'sixteen-pairs',
      args: [{ model: 'm', trainingFile: { fileId: 'file-1' }, metadata: pairs(16) }],
    });
    expect((await failureOf(run)).type).toBe('InvalidInput');
    expect(stage.calls()).toEqual([]);
  });
});

describe('a provider without metadata', () => {
  test('a create that was answered → as with any provider, but no metadata is sent', async () => {
    const run = await startBatch({ provider: 'bare', metadata: { team: 'blue' } });
    expect((await run.result()).status).toBe('completed');
    expect((await stage.api.batches())[0]?.metadata).toBeNull();
  });

  test.each<[what: string, effect: FaultName | FaultEffect]>([
    ['the answer is lost', 'lostAnswer'],
    ['500', 'serverError'],
    ['503', 'unavailable'],
    ['reset', 'reset'],
    ['a reply that is not a batch', 'emptyObject'],
  ])('%s → AmbiguousCreate with what to search for, after one request', async (_, effect) => {
    stage.api.faults.add({ on: 'batches.create', effect });
    const failure = await failureOf(await startBatch({ provider: 'bare' }));
    expect(failure.type).toBe('AmbiguousCreate');
    expect(failure.message).toContain('provider "bare" keeps no metadata');
    expect(failure.details?.[0]).toMatchObject({
      operation: 'batches.create',
      lookFor: { inputFileId: expect.stringMatching(/^file-/), endpoint, createdSince: expect.any(Number) },
    });
    expect(stage.calls('batches.create')).toHaveLength(1);
  });

  test('the answer is lost, with createAgain in the spec → continues with a second job', async () => {
    stage.api.faults.add({ on: 'fineTuning.create', effect: 'lostAnswer' });
    const before = (await stage.api.fineTuningJobs()).length;
    const run = await startFineTuning({ provider: 'bare', onAmbiguousCreate: 'createAgain' });
    expect((await run.result()).status).toBe('succeeded');
    expect((await stage.api.fineTuningJobs()).length - before).toBe(2);
  });
});
