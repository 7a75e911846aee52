import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI, { toFile } from 'openai';
import { expect, test } from 'vitest';
import { chatLines, createBatch, HOUR, jsonl, rejection, startRig, upload } from '../../support/local-api.js';

test('upload: a file → its object, its bytes, and listed by its purpose', async () => {
  await using rig = await startRig();
  const { client, clock } = rig;
  const text = jsonl(chatLines(3));
  const file = await upload(client, text);
  expect(file).toEqual({
    object: 'file',
    id: expect.stringMatching(/^file-\w{22}$/u),
    purpose: 'batch',
    filename: 'input.jsonl',
    bytes: Buffer.byteLength(text),
    created_at: clock.now() / 1000,
    expires_at: clock.now() / 1000 + 30 * 24 * 3600,
    status: 'processed',
  });
  expect(await client.files.retrieve(file.id)).toEqual(file);
  expect(await (await client.files.content(file.id)).text()).toBe(text);
  expect(await rig.api.fileContent(file.id)).toBe(text);
  expect((await client.files.list({ purpose: 'batch' })).data).toEqual([file]);
  expect((await client.files.list({ purpose: 'fine-tune' })).data).toEqual([]);
});

test('upload: a stream from disk with an expiry → kept until then, 404 after', async () => {
  await using rig = await startRig();
  const folder = await mkdtemp(join(tmpdir(), 'local-api-test-'));
  try {
    await writeFile(join(folder, 'data.jsonl'), '{}\n');
    const file = await rig.client.files.create({
      file: createReadStream(join(folder, 'data.jsonl')),
      purpose: 'user_data',
      expires_after: { anchor: 'created_at', seconds: 3600 },
    });
    expect(file).toMatchObject({ filename: 'data.jsonl', expires_at: file.created_at + 3600 });
    rig.clock.advance(HOUR - 1);
    expect(await rig.client.files.retrieve(file.id)).toEqual(file);
    rig.clock.advance(1);
    expect(await rejection(rig.client.files.retrieve(file.id))).toMatchObject({ status: 404 });
    expect((await rig.client.files.list()).data).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.each([
  ['an unknown purpose', 'x.jsonl', { purpose: 'fun' }, 'invalid_value'],
  ['a batch file of another format', 'x.csv', { purpose: 'batch' }, null],
  [
    'an expiry below one hour',
    'x.jsonl',
    { purpose: 'batch', expires_after: { anchor: 'created_at', seconds: 60 } },
    'integer_below_min_value',
  ],
  [
    'an unknown anchor',
    'x.jsonl',
    { purpose: 'batch', expires_after: { anchor: 'born_at', seconds: 3600 } },
    'invalid_value',
  ],
])('upload: %s → 400, and no file', async (_name, filename, more, code) => {
  await using rig = await startRig();
  const body = { file: await toFile(Buffer.from('{}'), filename), ...more } as OpenAI.FileCreateParams;
  expect(await rejection(rig.client.files.create(body))).toMatchObject({ status: 400, code });
  expect(await rig.api.files()).toEqual([]);
});

test('upload: a file over the limits → refused, and no file', async () => {
  await using rig = await startRig({ limits: { fileBytes: 2000, batchFileBytes: 1000 } });
  expect(await rejection(upload(rig.client, 'x'.repeat(1001)))).toMatchObject({ status: 400, code: 'file_too_large' });
  expect(await rejection(upload(rig.client, 'x'.repeat(3000), 'user_data'))).toMatchObject({ status: 413 });
  expect(await rig.api.files()).toEqual([]);
});

test('processing: a delay → uploaded, then processed', async () => {
  await using rig = await startRig({ fileProcessingMs: 5000 });
  const file = await upload(rig.client, '{}');
  expect(file.status).toBe('uploaded');
  rig.clock.advance(5000);
  expect((await rig.client.files.retrieve(file.id)).status).toBe('processed');
});

test('list: pages of two → all files in both orders, newest first by default', async () => {
  await using rig = await startRig();
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) {
    ids.push((await upload(rig.client, '{}')).id);
    rig.clock.advance(1000);
  }
  const listed = async (order?: 'asc' | 'desc'): Promise<string[]> => {
    const found: string[] = [];
    for await (const file of rig.client.files.list({ limit: 2, ...(order ? { order } : {}) })) found.push(file.id);
    return found;
  };
  expect(await listed()).toEqual(ids.toReversed());
  expect(await listed('asc')).toEqual(ids);
  expect(await rejection(rig.client.files.list({ limit: 0 }))).toMatchObject({ status: 400 });
  expect(await rejection(rig.client.files.list({ after: 'file-none' }))).toMatchObject({ status: 400 });
});

test('delete: a file → gone for every request', async () => {
  await using rig = await startRig();
  const { id } = await upload(rig.client, '{}');
  expect(await rig.client.files.delete(id)).toEqual({ object: 'file', id, deleted: true });
  for (const request of [rig.client.files.retrieve(id), rig.client.files.content(id), rig.client.files.delete(id)]) {
    expect(await rejection(request)).toMatchObject({ status: 404, type: 'invalid_request_error' });
  }
});

test.each([
  ['bytes=2-4', 206, 'cde', 'bytes 2-4/10'],
  ['bytes=7-', 206, 'hij', 'bytes 7-9/10'],
  ['bytes=-2', 206, 'ij', 'bytes 8-9/10'],
  ['bytes=5-99', 206, 'fghij', 'bytes 5-9/10'],
  ['bytes=10-', 416, undefined, 'bytes */10'],
  ['lines=1-2', 200, 'abcdefghij', null],
])('content: range %s → %i', async (range, status, text, contentRange) => {
  await using rig = await startRig();
  const { id } = await upload(rig.client, 'abcdefghij', 'user_data');
  const response = await fetch(`${rig.api.url}/files/${id}/content`, {
    headers: { authorization: `Bearer ${rig.api.apiKey}`, range },
  });
  expect(response.status).toBe(status);
  expect(response.headers.get('content-range')).toBe(contentRange);
  const body = await response.text();
  expect(text === undefined ? '' : body).toBe(text ?? '');
});

test('key: missing or wrong → a 401 without the key; the log contains no key', async () => {
  await using rig = await startRig();
  const wrong = new OpenAI({ baseURL: rig.api.url, apiKey: 'sk-very-secret-key', maxRetries: 0 });
  const error = await rejection(wrong.files.list());
  expect(error).toMatchObject({ status: 401, code: 'invalid_api_key', requestID: expect.stringMatching(/^req_/u) });
  expect(error.message).not.toContain('sk-very-secret-key');
  expect((await fetch(`${rig.api.url}/files`)).status).toBe(401);
  await rig.client.files.list();
  expect(rig.api.requests.map(({ operation, status }) => [operation, status])).toEqual([
    ['files.list', 401],
    ['files.list', 401],
    ['files.list', 200],
  ]);
  expect(JSON.stringify(rig.api.requests)).not.toMatch(/sk-/u);
});

test('errors: unknown paths and unreadable bodies → in the shape of the API', async () => {
  await using rig = await startRig();
  const headers = { authorization: `Bearer ${rig.api.apiKey}`, 'content-type': 'application/json' };
  const unknown = await fetch(`${rig.api.url}/nothing`, { headers });
  expect(unknown.status).toBe(404);
  expect(await unknown.json()).toEqual({
    error: { message: 'Invalid URL (GET /v1/nothing)', type: 'invalid_request_error', param: null, code: null },
  });
  const unreadable = await fetch(`${rig.api.url}/batches`, { method: 'POST', headers, body: '{' });
  expect(unreadable.status).toBe(400);
  expect(unreadable.headers.get('x-request-id')).toMatch(/^req_/u);
  expect(await unreadable.json()).toMatchObject({ error: { type: 'invalid_request_error' } });
  // An empty id requests the list.
  expect(await rig.client.batches.retrieve('').catch((error: unknown) => error)).not.toHaveProperty('status', 404);
});

test('deleted input: before the check → failed; after it → the batch continues', async () => {
  await using rig = await startRig({ batches: { jitter: 0 } });
  const early = await createBatch(rig.client, chatLines(1));
  const late = await createBatch(rig.client, chatLines(1));
  await rig.client.files.delete(early.input_file_id);
  rig.clock.advance(60_000);
  await rig.client.files.delete(late.input_file_id);
  rig.clock.advance(HOUR);
  expect(await rig.client.batches.retrieve(early.id)).toMatchObject({
    status: 'failed',
    errors: { data: [{ code: 'invalid_request', message: expect.stringContaining('Cannot find file') }] },
  });
  expect(await rig.client.batches.retrieve(late.id)).toMatchObject({ status: 'completed' });
});
