import { EventEmitter } from 'node:events';
import OpenAI, { APIConnectionError, APIError } from 'openai';
import { expect, test } from 'vitest';
import { FAULT_EFFECTS, FAULT_NAMES, type FaultEffect, type LocalApi } from '../../../src/testing/index.js';
import { chatExamples } from '../../support/training-examples.js';
import { chatLines, createBatch, HOUR, jsonl, rejection, startRig, upload, type Rig } from '../../support/local-api.js';

/** How a job of each kind is created, read and counted. */
const JOBS = {
  batch: {
    create: (client: OpenAI) => createBatch(client, chatLines(2)),
    read: (client: OpenAI, id: string) => client.batches.retrieve(id),
    creating: 'batches.create',
    reading: 'batches.retrieve',
    count: async (api: LocalApi) => (await api.batches()).length,
  },
  'fine-tuning job': {
    create: async (client: OpenAI) => {
      const file = await upload(client, jsonl(chatExamples(10)), 'fine-tune');
      return client.fineTuning.jobs.create({ model: 'gpt-4o-mini', training_file: file.id });
    },
    read: (client: OpenAI, id: string) => client.fineTuning.jobs.retrieve(id),
    creating: 'fineTuning.create',
    reading: 'fineTuning.retrieve',
    count: async (api: LocalApi) => (await api.fineTuningJobs()).length,
  },
} as const;

/** Effects under which a create is carried out, whatever the caller sees. */
const HANDLED = ['lostAnswer', 'timeoutAfterHandling', 'delay', 'cutBody', 'cutBodySilently', 'hidden', 'emptyObject'];
/** Effects that the caller of a create does not notice. */
const UNNOTICED = ['delay', 'hidden', 'emptyObject'];

/**
 * The outcome of a request: its value or its error. A request without a reply is aborted when the log reports the
 * fault, so that the outcome does not depend on a client's timeout.
 */
async function outcomeOf(
  api: LocalApi,
  log: EventEmitter,
  request: (client: OpenAI) => Promise<unknown>,
): Promise<unknown> {
  const abort = new AbortController();
  const client = new OpenAI({
    baseURL: api.url,
    apiKey: api.apiKey,
    maxRetries: 0,
    fetch: (url, init) => fetch(url, { ...init, signal: AbortSignal.any([abort.signal, ...signalsOf(init)]) }),
  });
  const abortWithoutReply = (line: string): void => {
    if (line.endsWith('no reply (timeout)')) abort.abort();
  };
  log.on('line', abortWithoutReply);
  try {
    return await request(client);
  } catch (error) {
    return error;
  } finally {
    log.off('line', abortWithoutReply);
  }
}

const signalsOf = (init: RequestInit | undefined): AbortSignal[] => (init?.signal ? [init.signal] : []);

test.each(FAULT_NAMES.flatMap((name) => (['batch', 'fine-tuning job'] as const).map((kind) => [name, kind] as const)))(
  'fault %s: on the create and on a read of a %s → applied to one request, and not to the next',
  async (name, kind) => {
    const log = new EventEmitter();
    await using rig = await startRig({ logger: { info: (line) => log.emit('line', line) } });
    const { create, read, count, creating, reading } = JOBS[kind];
    const onCreate = rig.api.faults.add({ on: creating, effect: name });
    const created = await outcomeOf(rig.api, log, create);
    expect(created instanceof Error).toBe(!UNNOTICED.includes(name));
    expect(onCreate.hits).toBe(1);
    expect(await count(rig.api)).toBe(HANDLED.includes(name) ? 1 : 0);
    rig.api.faults.clear();
    const { id } = await create(rig.client);
    const onRead = rig.api.faults.add({ on: reading, id, effect: name });
    const first = await outcomeOf(rig.api, log, (client) => read(client, id));
    expect(first instanceof Error).toBe(!UNNOTICED.includes(name));
    expect(onRead.hits).toBe(1);
    const second = await outcomeOf(rig.api, log, (client) => read(client, id));
    expect(second instanceof Error).toBe(name === 'hidden');
  },
);

test.each(['files.create', 'files.retrieve', 'batches.create'] as const)(
  'lostAnswer: on %s → a connection error, although the request is handled',
  async (on) => {
    await using rig = await startRig();
    const file = await upload(rig.client, jsonl(chatLines(1)));
    rig.api.faults.add({ on, effect: { kind: 'lostAnswer' } });
    const request =
      on === 'files.create'
        ? upload(rig.client, '{}')
        : on === 'files.retrieve'
          ? rig.client.files.retrieve(file.id)
          : rig.client.batches.create({
              input_file_id: file.id,
              endpoint: '/v1/chat/completions',
              completion_window: '24h',
            });
    expect(await rejection(request)).toBeInstanceOf(APIConnectionError);
    expect((await rig.api.files()).length).toBe(on === 'files.create' ? 2 : 1);
    expect((await rig.api.batches()).length).toBe(on === 'batches.create' ? 1 : 0);
    expect(rig.api.requests.at(-1)).toMatchObject({ operation: on, status: undefined, fault: 'lostAnswer' });
  },
);

test('status: every header and field of the effect → on the wire', async () => {
  await using rig = await startRig();
  rig.api.faults.add({
    on: 'files.list',
    effect: {
      kind: 'status',
      status: 429,
      message: 'Slow down.',
      code: 'slow_down',
      type: 'tokens',
      retryAfter: 120,
      retryAfterMs: 1500,
      shouldRetry: false,
      headers: { 'x-extra': '1' },
    },
  });
  const error = await rejection(rig.client.files.list());
  expect(error).toMatchObject({ status: 429, message: '429 Slow down.', code: 'slow_down', type: 'tokens' });
  expect(['retry-after', 'retry-after-ms', 'x-should-retry', 'x-extra'].map((h) => error.headers!.get(h))).toEqual([
    '120',
    '1500',
    'false',
    '1',
  ]);
  expect(error.requestID).toMatch(/^req_/u);
});

test('status: a body in the effect → sent as it is', async () => {
  await using rig = await startRig();
  rig.api.faults.add({ on: 'files.list', effect: { kind: 'status', status: 500, body: { detail: 'litellm' } } });
  rig.api.faults.add({ on: 'files.list', effect: { kind: 'status', status: 503, body: 'upstream' } });
  expect(await rejection(rig.client.files.list())).toMatchObject({ status: 500, code: undefined });
  expect(await rejection(rig.client.files.list())).toMatchObject({ status: 503, message: '503 upstream' });
});

test('html: a page with a status → an error with that status and the page as its text', async () => {
  await using rig = await startRig();
  rig.api.faults.add({ on: '*', effect: { kind: 'html', status: 504 } });
  const error = await rejection(rig.client.files.list());
  expect(error.status).toBe(504);
  expect(error.message).toContain('<html>');
});

test('timeout: a request without a reply → does not delay close', async () => {
  const rig = await startRig();
  rig.api.faults.add({ on: 'files.list', effect: 'timeout' });
  const failed = rejection(rig.client.files.list());
  while (rig.api.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await rig.api.close();
  expect(await failed).toBeInstanceOf(APIConnectionError);
});

async function download(rig: Rig, effect: FaultEffect): Promise<string> {
  const { id } = await upload(rig.client, 'x'.repeat(400_000), 'user_data');
  rig.api.faults.add({ on: 'files.content', effect });
  return (await rig.client.files.content(id)).text();
}

test('cutBody: a download that ends early → an error while it is read', async () => {
  await using rig = await startRig();
  await expect(download(rig, { kind: 'cutBody', bytes: 150_000 })).rejects.toThrow(/terminated/u);
});

test('cutBody silently: a download that ends early → looks whole and is short', async () => {
  await using rig = await startRig();
  expect((await download(rig, { kind: 'cutBody', bytes: 150_000, silent: true })).length).toBe(150_000);
});

test('hidden: a new object → 404 for two reads, and absent from lists until then', async () => {
  await using rig = await startRig();
  rig.api.faults.add({ on: 'batches.create', effect: { kind: 'hidden', reads: 2 } });
  const { id } = await createBatch(rig.client, chatLines(1));
  expect((await rig.client.batches.list()).data).toEqual([]);
  expect(await rejection(rig.client.batches.retrieve(id))).toMatchObject({ status: 404 });
  expect(await rejection(rig.client.batches.retrieve(id))).toMatchObject({ status: 404 });
  expect(await rig.client.batches.retrieve(id)).toMatchObject({ id });
  expect((await rig.client.batches.list()).data).toHaveLength(1);
});

test('mutate: a change of the reply → what the caller receives; the state stays', async () => {
  await using rig = await startRig();
  const { id } = await createBatch(rig.client, chatLines(1));
  rig.api.faults.add({
    on: 'batches.retrieve',
    effect: { kind: 'mutate', change: (body) => ({ ...(body as object), status: 'expired' }) },
  });
  expect(await rig.client.batches.retrieve(id)).toMatchObject({ id, status: 'expired' });
  expect(await rig.client.batches.retrieve(id)).toMatchObject({ id, status: 'validating' });
});

test('echoApiKey: a refused request → repeats the key of the caller', async () => {
  await using rig = await startRig({ apiKey: 'sk-test-key' });
  rig.api.faults.add({ on: 'files.list', effect: 'echoApiKey' });
  expect((await rejection(rig.client.files.list())).message).toContain('sk-test-key');
});

test('rule: skip, times, id and where → applies to exactly those requests', async () => {
  await using rig = await startRig();
  const { id } = await createBatch(rig.client, chatLines(1));
  const other = await createBatch(rig.client, chatLines(1));
  const fault = rig.api.faults.add({ on: ['batches.retrieve'], id, skip: 1, times: 2, effect: 'serverError' });
  const statuses: (number | undefined)[] = [];
  for (let i = 0; i < 5; i++) {
    const result: unknown = await rig.client.batches.retrieve(id).catch((error: unknown) => error);
    statuses.push(result instanceof APIError ? result.status : 200);
  }
  expect(statuses).toEqual([200, 500, 500, 200, 200]);
  expect(fault.hits).toBe(2);
  rig.api.faults.add({
    on: '*',
    where: (call) => (call.body as { metadata?: { key?: string } } | undefined)?.metadata?.key === 'x',
    effect: FAULT_EFFECTS.conflict,
  });
  expect(await rig.client.batches.retrieve(other.id)).toMatchObject({ id: other.id });
  expect(await rejection(createBatch(rig.client, chatLines(1), { metadata: { key: 'x' } }))).toMatchObject({
    status: 409,
  });
});

async function faultyRequests(seed: number): Promise<boolean[]> {
  await using rig = await startRig({ seed });
  rig.api.faults.add({ on: 'files.list', probability: 0.5, times: Infinity, effect: 'unavailable' });
  const results: boolean[] = [];
  for (let i = 0; i < 24; i++) {
    results.push((await rig.client.files.list().catch((error: unknown) => error)) instanceof Error);
  }
  return results;
}

test('rule: a probability → the same requests for the same seed, others for another seed', async () => {
  const first = await faultyRequests(1);
  expect(await faultyRequests(1)).toEqual(first);
  expect(await faultyRequests(2)).not.toEqual(first);
  expect(new Set(first).size).toBe(2);
});

test('rule: removed → applies no longer', async () => {
  await using rig = await startRig();
  const fault = rig.api.faults.add({ on: '*', times: Infinity, effect: 'reset' });
  expect(await rejection(rig.client.files.list())).toBeInstanceOf(APIConnectionError);
  fault.remove();
  expect((await rig.client.files.list()).data).toEqual([]);
});

test('time: a request that a fault delays in real time → the batch has not advanced', async () => {
  await using rig = await startRig();
  const { id } = await createBatch(rig.client, chatLines(1));
  rig.api.faults.add({ on: 'batches.retrieve', effect: { kind: 'delay', ms: 30 } });
  expect((await rig.client.batches.retrieve(id)).status).toBe('validating');
  rig.clock.advance(HOUR);
  expect((await rig.client.batches.retrieve(id)).status).toBe('completed');
});
