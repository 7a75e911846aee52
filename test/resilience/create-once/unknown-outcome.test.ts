/**
 * A job is created exactly once, whatever answers are lost; if that cannot be known, the run fails instead of paying
 * twice.
 */
import { describe, expect, test } from 'vitest';
import { JOB_KEY, jobKeyOf } from '../../../src/index.js';
import type { FaultEffect, FaultName } from '../../../src/testing/index.js';
import { faultStage } from '../../support/fault-stage.js';
import { endpoint, failureOf, jobsOf } from '../../support/runs.js';
import { HOUR, IMMEDIATE_BATCH } from '../../../dev/stage/timing.js';
import { waitFor } from '../../../dev/stage/wait-for.js';
import { chatRequests, jsonl } from '../../support/samples.js';

const { stage, startBatch, startFineTuning } = faultStage({
  requests: 3,
  pollEvery: '30m',
  providers: { impatient: { timeoutMs: 400 }, bare: { metadata: false } },
});

/** A file that the run did not upload: other jobs may have it, too. */
const givenFile = async (): Promise<{ fileId: string }> => {
  const content = new File([jsonl(chatRequests(3))], 'given.jsonl');
  return { fileId: (await stage.openai.files.create({ file: content, purpose: 'batch' })).id };
};

/** Creates that the provider carries out, and whose answer is wrong or lost. */
const COMMITTED: [what: string, effect: FaultName | FaultEffect, provider?: string][] = [
  ['the answer is lost', 'lostAnswer'],
  ['500, wrongly', { kind: 'status', status: 500, handled: true }],
  ['503, wrongly', { kind: 'status', status: 503, handled: true, retryAfter: 90 }],
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

  test('that is listed late, and has already ended by then → told in a warning', async () => {
    stage.api.scenarios.forNextBatch({ timing: IMMEDIATE_BATCH });
    stage.api.faults.add({ on: 'batches.create', effect: { kind: 'status', status: 500, handled: true } });
    const empty = { kind: 'mutate', change: () => ({ object: 'list', data: [] }) } as const;
    stage.api.faults.add({ on: 'batches.list', effect: empty, times: 2 });
    const run = await startBatch();
    const result = await run.result();
    const twin = (await jobsOf(stage.api, run.workflowId)).find(({ id }) => id !== result.batchId);
    expect(twin?.status).toBe('completed');
    expect(result.warnings).toEqual([
      `${twin?.id} is a duplicate of this run's job, created late; it had already ended (completed) and is paid for`,
    ]);
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

describe('a create that is cut off, then cancelled', () => {
  test.each(['5s', '1m'])('and carried out after %s → found, cancelled, and the result of the run', async (late) => {
    const scenario = { timing: { inProgressMs: 20 * HOUR } };
    stage.api.faults.add({ on: 'batches.create', effect: { kind: 'status', status: 503, retryAfter: 600 } });
    const run = await startBatch();
    await waitFor(() => stage.calls('batches.create').length === 1, 'the create');
    await run.cancel('enough');
    await stage.pass(late);

    const { runId } = await run.handle.describe();
    const { namespace } = stage.temporal;
    const key = jobKeyOf({ cluster: '-', namespace, workflowId: run.workflowId, runId });
    const file = (await stage.api.files()).find(({ filename }) => filename.startsWith(run.workflowId));
    stage.api.scenarios.forNextBatch(scenario);
    const params = { input_file_id: file?.id ?? '', endpoint, completion_window: '24h' } as const;
    const carriedOut = await stage.openai.batches.create({ ...params, metadata: { [JOB_KEY]: key } });
    expect(await run.result()).toMatchObject({ status: 'cancelled', batchId: carriedOut.id });
    expect((await jobsOf(stage.api, run.workflowId)).map(({ status }) => status)).toEqual(['cancelled']);
  });

  test('and never carried out → ends without a job, two minutes later', async () => {
    stage.api.faults.add({ on: 'batches.create', effect: { kind: 'status', status: 503, retryAfter: 600 } });
    const run = await startBatch();
    await waitFor(() => stage.calls('batches.create').length === 1, 'the create');
    await run.cancel('enough');
    expect(await run.result()).toMatchObject({ status: 'cancelled', batchId: null });
    expect(stage.calls('batches.list')).toHaveLength(3);
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

  const CARRIED_OUT: [what: string, effect: FaultName | FaultEffect][] = [
    ['the answer is lost', 'lostAnswer'],
    ['500, wrongly', { kind: 'status', status: 500, handled: true }],
    ['a reply that is not a job', 'emptyObject'],
  ];

  test.each(CARRIED_OUT)('%s, of a batch from a file that the run uploaded → found by that file', async (_, effect) => {
    stage.api.faults.add({ on: 'batches.create', effect });
    const before = (await stage.api.batches()).length;
    const run = await startBatch({ provider: 'bare' });
    const { status, batchId } = await run.result();
    expect(status).toBe('completed');
    expect((await stage.api.batches()).slice(0, -before || undefined).map(({ id }) => id)).toEqual([batchId]);
  });

  test.each(CARRIED_OUT)('%s, of a fine-tuning job from such a file → found by that file', async (_, effect) => {
    stage.api.faults.add({ on: 'fineTuning.create', effect });
    const before = (await stage.api.fineTuningJobs()).length;
    expect((await (await startFineTuning({ provider: 'bare' })).result()).status).toBe('succeeded');
    expect((await stage.api.fineTuningJobs()).length - before).toBe(1);
  });

  test.each<[what: string, effect: FaultName | FaultEffect]>([
    ['500', 'serverError'],
    ['503', 'unavailable'],
    ['reset', 'reset'],
  ])('%s, and no job to be found → AmbiguousCreate with what to search for, after one request', async (_, effect) => {
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

  test.each(CARRIED_OUT)('%s, of a batch from a file that was given → AmbiguousCreate', async (_, effect) => {
    const input = await givenFile();
    stage.api.faults.add({ on: 'batches.create', effect });
    const failure = await failureOf(await startBatch({ provider: 'bare', input }));
    expect(failure.type).toBe('AmbiguousCreate');
    expect(failure.details?.[0]).toMatchObject({ lookFor: { inputFileId: input.fileId } });
    expect(stage.calls('batches.create')).toHaveLength(1);
  });

  test('the answer is lost, with createAgain in the spec → continues with a second job', async () => {
    const input = await givenFile();
    stage.api.faults.add({ on: 'batches.create', effect: 'lostAnswer' });
    const before = (await stage.api.batches()).length;
    const run = await startBatch({ provider: 'bare', input, onAmbiguousCreate: 'createAgain' });
    expect((await run.result()).status).toBe('completed');
    expect((await stage.api.batches()).length - before).toBe(2);
  });
});

/** Lists of jobs as a gateway answers them that keeps no metadata, although it accepts it. */
const DROPPED_METADATA: FaultEffect = { kind: 'mutate', change: (body) => withoutMetadata(body) };

function withoutMetadata(body: unknown): unknown {
  const { data } = body as { data?: readonly unknown[] };
  return data ? { ...(body as object), data: data.map(withoutMetadata) } : { ...(body as object), metadata: null };
}

describe('a gateway that drops metadata', () => {
  test.each([
    ['batches', startBatch],
    ['fineTuning', startFineTuning],
  ] as const)('%s: the answer to a create is lost → its job is found by the input file', async (kind, start) => {
    stage.api.faults.add({ on: `${kind}.create`, effect: 'lostAnswer' });
    const reads = [`${kind}.list`, `${kind}.retrieve`, `${kind}.cancel`] as const;
    stage.api.faults.add({ on: reads, times: Infinity, effect: DROPPED_METADATA });
    const run = await start();
    await run.result();
    expect(await jobsOf(stage.api, run.workflowId)).toHaveLength(1);
    expect(stage.calls(`${kind}.create`)).toHaveLength(1);
  });

  test('a list that lags, so that a second batch is created → the first is kept, the second cancelled', async () => {
    stage.api.faults.add({ on: 'batches.create', effect: 'lostAnswer' });
    const empty = { kind: 'mutate', change: () => ({ object: 'list', data: [] }) } as const;
    stage.api.faults.add({ on: 'batches.list', effect: empty });
    stage.api.faults.add({ on: 'batches.list', times: Infinity, effect: DROPPED_METADATA });
    const run = await startBatch();
    await run.result();
    const jobs = await jobsOf(stage.api, run.workflowId);
    expect(jobs.map(({ status }) => status).toSorted((a, b) => a.localeCompare(b))).toEqual(['cancelled', 'completed']);
  });

  test('a batch from a file that was given → AmbiguousCreate that names it, since others may have that file', async () => {
    const input = await givenFile();
    stage.api.faults.add({ on: 'batches.create', effect: 'lostAnswer' });
    stage.api.faults.add({ on: 'batches.list', times: Infinity, effect: DROPPED_METADATA });
    const failure = await failureOf(await startBatch({ input }));
    expect(failure.type).toBe('AmbiguousCreate');
    expect(failure.message).toContain((await stage.api.batches())[0]?.id);
    expect(stage.calls('batches.create')).toHaveLength(1);
  });

  test('another batch of a file that was given → not taken for the one that is looked for', async () => {
    const input = await givenFile();
    const params = {
      input_file_id: input.fileId,
      endpoint,
      completion_window: '24h',
      metadata: { team: 'blue' },
    } as const;
    const other = await stage.openai.batches.create(params);
    stage.api.faults.add({ on: 'batches.create', effect: 'serverError' });
    const { batchId } = await (await startBatch({ input })).result();
    expect(batchId).not.toBe(other.id);
  });
});

describe('a search for the job', () => {
  test.each<[what: string, effect: FaultEffect]>([
    ['429', { kind: 'status', status: 429, retryAfterMs: 100 }],
    ['409', { kind: 'status', status: 409, headers: { 'retry-after-ms': '100' } }],
    ['404 for a file that is not visible yet', { kind: 'status', status: 404, message: 'No such file' }],
  ])('every create was refused with %s → not made', async (_, effect) => {
    stage.api.faults.add({ on: 'batches.create', effect, times: 3 });
    expect((await (await startBatch()).result()).status).toBe('completed');
    expect(stage.calls('batches.create')).toHaveLength(4);
    expect(stage.calls('batches.list')).toEqual([]);
  });

  test('the list is refused after a lost answer → AmbiguousCreate with the words of the refusal', async () => {
    stage.api.faults.add({ on: 'batches.create', effect: 'lostAnswer' });
    stage.api.faults.add({ on: 'batches.list', effect: { kind: 'status', status: 403, message: 'missing scope' } });
    const failure = await failureOf(await startBatch());
    expect(failure.type).toBe('AmbiguousCreate');
    expect(failure.message).toContain('missing scope');
    expect(stage.calls('batches.create')).toHaveLength(1);
  });

  test('a list without an end → AmbiguousCreate that says so', async () => {
    stage.api.faults.add({ on: 'batches.create', effect: 'lostAnswer' });
    let page = 0;
    const effect = {
      kind: 'status',
      status: 200,
      get body() {
        return { data: [{ id: `batch_other_${(page += 1)}`, status: 'completed' }], has_more: true };
      },
    } as const;
    stage.api.faults.add({ on: 'batches.list', times: Infinity, effect });
    const failure = await failureOf(await startBatch());
    expect(failure.type).toBe('AmbiguousCreate');
    expect(failure.message).toContain('the list has no end');
  });
});
