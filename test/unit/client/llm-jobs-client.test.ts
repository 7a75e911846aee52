import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { InvalidSpecError, LlmJobsClient, Storage, type BatchSpec } from '../../../src/client.js';

/** Nothing listens at this address, so a start that gets through the check of the spec fails with another error. */
const client = new Client({ connection: Connection.lazy({ address: '127.0.0.1:1', connectTimeout: '1s' }) });
const jobs = new LlmJobsClient(client);
afterAll(() => jobs.close());

const endpoint = '/v1/chat/completions';
const request = { custom_id: 'a', url: endpoint, body: { model: 'gpt-4o-mini', messages: [] } };

describe('client: invalid spec', () => {
  test.each<[condition: string, start: () => Promise<unknown>, field: string]>([
    ['startBatch: another scheme', () => jobs.startBatch({ input: { uri: 'ftp://x' }, endpoint }), 'input.uri'],
    ['startBatch: not a path', () => jobs.startBatch({ input: { fileId: 'file-1' }, endpoint: 'chat' }), 'endpoint'],
    ['startFineTuning: empty', () => jobs.startFineTuning({ model: '', trainingFile: { fileId: 'file-1' } }), 'model'],
    [
      'startBulkBatch: below the minimum',
      () => jobs.startBulkBatch({ input: { prefix: 'file:///data/' }, maxRounds: 0 }),
      'maxRounds',
    ],
  ])('%s → InvalidSpecError that names the field', async (_, start, field) => {
    const error = await start().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InvalidSpecError);
    expect((error as InvalidSpecError).faults).toMatchObject([{ field }]);
    expect((error as InvalidSpecError).message).toContain(field);
  });

  test('startBatch: more requests than Temporal takes → the size, the limit and the remedy', async () => {
    const requests = Array.from({ length: 2_000 }, (_, n) => ({ ...request, custom_id: `${n}-${'x'.repeat(800)}` }));
    const spec: BatchSpec = { input: { requests }, endpoint };
    await expect(jobs.startBatch(spec)).rejects.toThrow(
      /^the spec has \d{7} bytes; the limit is 1500000: write the requests to a file and pass \{ uri \}$/,
    );
  });
});

describe('client: startBulkBatchFrom', () => {
  let folder: string;
  let storage: Storage;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'llm-jobs-client-'));
    storage = new Storage({ roots: [pathToFileURL(`${folder}/`).href] });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('an invalid spec → InvalidSpecError, nothing read or written', async () => {
    const requests = (function* () {
      yield request;
      throw new Error('must not be read');
    })();
    await expect(jobs.startBulkBatchFrom(requests, { storage, maxParallel: 0 })).rejects.toThrow(InvalidSpecError);
    expect(await readdir(folder)).toEqual([]);
  });

  test('faulty requests → all of them with their numbers, no file, and no run', async () => {
    const requests = [
      request,
      { ...request, custom_id: 'b', body: [] },
      { ...request, custom_id: 'c', url: '' },
      request,
      { custom_id: 'd' },
    ] as never[];
    const error: unknown = await jobs.startBulkBatchFrom(requests, { storage }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InvalidSpecError);
    const { faults, message } = error as InvalidSpecError;
    expect(faults.map(({ line, field }) => [line, field])).toEqual([
      [2, 'body'],
      [3, 'url'],
      [4, 'custom_id'],
      [5, 'url'],
      [5, 'body'],
    ]);
    expect(message).toMatch(
      /^5 faults\n- request 2, body: .+\n- request 3, url: .+\n- request 4, custom_id: duplicate/,
    );
    expect(await readdir(join(folder, 'inputs'))).toEqual([]);
  });

  test('requests without an end, each faulty → refused after the first ones', async () => {
    let read = 0;
    const requests = (function* () {
      for (; ; read += 1) yield { custom_id: `r${read}` } as never;
    })();
    await expect(jobs.startBulkBatchFrom(requests, { storage })).rejects.toThrow(InvalidSpecError);
    expect(read).toBeLessThan(1_000);
  });

  test('no requests, another endpoint, no custom_id → refused', async () => {
    const rules = { storage, endpoint: '/v1/embeddings' };
    const { custom_id: _, ...nameless } = request;
    await expect(jobs.startBulkBatchFrom([], { storage })).rejects.toThrow('no requests');
    await expect(jobs.startBulkBatchFrom([request], rules)).rejects.toThrow(/^request 1, url: /);
    await expect(jobs.startBulkBatchFrom([nameless as never], { storage })).rejects.toThrow(/^request 1, custom_id: /);
  });

  test('an iterable that throws → its own error, no file', async () => {
    const broken = new Error('the database went away');
    const requests = (async function* () {
      yield request;
      throw broken;
    })();
    await expect(jobs.startBulkBatchFrom(requests, { storage })).rejects.toBe(broken);
    expect(await readdir(join(folder, 'inputs'))).toEqual([]);
  });
});

describe('client: task queue', () => {
  afterEach(() => vi.unstubAllEnvs());

  test('option, variable, neither → the first that is given, else llm-jobs', () => {
    vi.stubEnv('LLM_JOBS_TASK_QUEUE', 'by-variable');
    expect(new LlmJobsClient(client, { taskQueue: 'by-option' }).taskQueue).toBe('by-option');
    expect(new LlmJobsClient(client).taskQueue).toBe('by-variable');
    vi.stubEnv('LLM_JOBS_TASK_QUEUE', undefined);
    expect(new LlmJobsClient(client).taskQueue).toBe('llm-jobs');
  });
});
