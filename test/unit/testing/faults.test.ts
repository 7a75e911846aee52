import OpenAI, { APIConnectionError, APIError } from 'openai';
import { expect, test } from 'vitest';
import {
  FAULT_EFFECTS,
  FAULT_NAMES,
  type FaultEffect,
  type FaultName,
  type LocalApi,
} from '../../../src/testing/index.js';
import { chatExamples } from '../../support/training-examples.js';
import { chatLines, createBatch, HOUR, jsonl, rejection, startRig, upload, type Rig } from '../../support/local-api.js';

/** A batch and a fine-tuning job: how each is created and read. */
const LIFECYCLES = {
  batch: {
    create: (client: OpenAI) => createBatch(client, chatLines(2)),
    read: (client: OpenAI, id: string) => client.batches.retrieve(id),
    creating: 'batches.create',
    reading: 'batches.retrieve',
    count: async (api: LocalApi) => (await api.batches()).length,
  },
  fineTuning: {
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
/** Effects that a create does not notice. */
const UNNOTICED = ['delay', 'hidden', 'emptyObject'];

/** Patient except where no answer will come: on a busy machine an answer may take seconds. */
const clientFor = (name: FaultName, { apiKey, url: baseURL }: LocalApi): OpenAI =>
  new OpenAI({ baseURL, apiKey, maxRetries: 0, ...(FAULT_EFFECTS[name].kind === 'timeout' && { timeout: 3_000 }) });

test.concurrent.each(
  FAULT_NAMES.flatMap((name) => (['batch', 'fineTuning'] as const).map((lifecycle) => [name, lifecycle] as const)),
)('fault %s: on the create of a %s → strikes once, then all is well', async (name, lifecycle) => {
  await using rig = await startRig();
  const { create, read, count, creating, reading } = LIFECYCLES[lifecycle];
  const client = clientFor(name, rig.api);
  const fault = rig.api.faults.add({ on: creating, effect: name });
  const outcome = await create(client).catch((error: unknown) => error);
  expect(outcome instanceof Error).toBe(!UNNOTICED.includes(name));
  expect(fault.hits).toBe(1);
  expect(await count(rig.api)).toBe(HANDLED.includes(name) ? 1 : 0);
  rig.api.faults.clear();
  const { id } = await create(client);
  const onRead = rig.api.faults.add({ on: reading, id, effect: name });
  const first: unknown = await read(client, id).catch((error: unknown) => error);
  expect(first instanceof Error).toBe(!UNNOTICED.includes(name));
  expect(onRead.hits).toBe(1);
  const second: unknown = await read(client, id).catch((error: unknown) => error);
  expect(second instanceof Error).toBe(name === 'hidden');
});

test.each(['files.create', 'files.retrieve', 'batches.create'] as const)(
  'lostAnswer: on %s → a connection error, and the work is done',
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

test('status: a body of its own → sent as it is', async () => {
  await using rig = await startRig();
  rig.api.faults.add({ on: 'files.list', effect: { kind: 'status', status: 500, body: { detail: 'litellm' } } });
  rig.api.faults.add({ on: 'files.list', effect: { kind: 'status', status: 503, body: 'upstream' } });
  expect(await rejection(rig.client.files.list())).toMatchObject({ status: 500, code: undefined });
  expect(await rejection(rig.client.files.list())).toMatchObject({ status: 503, message: '503 upstream' });
});

test('html: a page → an error of that status with the page as its text', async () => {
  await using rig = await startRig();
  rig.api.faults.add({ on: '*', effect: { kind: 'html', status: 504 } });
  const error = await rejection(rig.client.files.list());
  expect(error.status).toBe(504);
  expect(error.message).toContain('<html>');
});

test('timeout: a request without an answer → does not hold up close', async () => {
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

test('hidden: an object just created → 404 and in no list for so many reads', async () => {
  await using rig = await startRig();
  rig.api.faults.add({ on: 'batches.create', effect: { kind: 'hidden', reads: 2 } });
  const { id } = await createBatch(rig.client, chatLines(1));
  expect((await rig.client.batches.list()).data).toEqual([]);
  expect(await rejection(rig.client.batches.retrieve(id))).toMatchObject({ status: 404 });
  expect(await rejection(rig.client.batches.retrieve(id))).toMatchObject({ status: 404 });
  expect(await rig.client.batches.retrieve(id)).toMatchObject({ id });
  expect((await rig.client.batches.list()).data).toHaveLength(1);
});

test('mutate: a function of the reply → what the caller gets; the state stays', async () => {
  await using rig = await startRig();
  const { id } = await createBatch(rig.client, chatLines(1));
  rig.api.faults.add({
    on: 'batches.retrieve',
    effect: { kind: 'mutate', change: (body) => ({ ...(body as object), status: 'expired' }) },
  });
  expect(await rig.client.batches.retrieve(id)).toMatchObject({ id, status: 'expired' });
  expect(await rig.client.batches.retrieve(id)).toMatchObject({ id, status: 'validating' });
});

test('echoApiKey: a refusal → repeats the key of the caller', async () => {
  await using rig = await startRig({ apiKey: 'sk-test-key' });
  rig.api.faults.add({ on: 'files.list', effect: 'echoApiKey' });
  expect((await rejection(rig.client.files.list())).message).toContain('sk-test-key');
});

test('rule: skip, times, id and where → strikes exactly those requests', async () => {
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

async function struckRequests(seed: number): Promise<boolean[]> {
  await using rig = await startRig({ seed });
  rig.api.faults.add({ on: 'files.list', probability: 0.5, times: Infinity, effect: 'unavailable' });
  const results: boolean[] = [];
  for (let i = 0; i < 24; i++) {
    results.push((await rig.client.files.list().catch((error: unknown) => error)) instanceof Error);
  }
  return results;
}

test('rule: a probability → the same requests struck for the same seed, others for another', async () => {
  const first = await struckRequests(1);
  expect(await struckRequests(1)).toEqual(first);
  expect(await struckRequests(2)).not.toEqual(first);
  expect(new Set(first).size).toBe(2);
});

test('rule: removed → strikes no more', async () => {
  await using rig = await startRig();
  const fault = rig.api.faults.add({ on: '*', times: Infinity, effect: 'reset' });
  expect(await rejection(rig.client.files.list())).toBeInstanceOf(APIConnectionError);
  fault.remove();
  expect((await rig.client.files.list()).data).toEqual([]);
});

test('time: stands still during a request that a fault delays → the batch has not moved', async () => {
  await using rig = await startRig();
  const { id } = await createBatch(rig.client, chatLines(1));
  rig.api.faults.add({ on: 'batches.retrieve', effect: { kind: 'delay', ms: 30 } });
  expect((await rig.client.batches.retrieve(id)).status).toBe('validating');
  rig.clock.advance(HOUR);
  expect((await rig.client.batches.retrieve(id)).status).toBe('completed');
});
