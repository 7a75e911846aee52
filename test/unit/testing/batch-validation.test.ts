import { RateLimitError } from 'openai';
import { expect, test } from 'vitest';
import { chatLine, chatLines, createBatch, HOUR, jsonl, rejection, startRig, upload } from '../../support/local-api.js';

const line = chatLine(0);

test.each<[string, unknown[], string, number | null]>([
  ['a line that is not an object', [line, 3], 'invalid_json_line', 2],
  ['a missing custom_id', [{ ...line, custom_id: undefined }], 'missing_required_parameter', 1],
  ['a missing body', [{ ...line, body: undefined }], 'missing_required_parameter', 1],
  ['a missing model', [{ ...line, body: { messages: [] } }], 'missing_required_parameter', 1],
  ['missing messages', [{ ...line, body: { model: 'm' } }], 'missing_required_parameter', 1],
  ['a body that is not an object', [{ ...line, body: 'x' }], 'invalid_request', 1],
  ['a custom_id that is not a string', [{ ...line, custom_id: 5 }], 'invalid_type', 1],
  ['another method', [{ ...line, method: 'GET' }], 'invalid_method', 1],
  ['the url of another endpoint', [{ ...line, url: '/v1/embeddings' }], 'url_mismatch', 1],
  ['an unknown url', [{ ...line, url: '/v1/nothing' }], 'invalid_url', 1],
  ['a second model', [line, { ...chatLine(1), body: { ...line.body, model: 'gpt-5' } }], 'model_mismatch', 2],
  ['an unknown model', [{ ...line, body: { ...line.body, model: 'no-such-model' } }], 'model_not_found', 1],
  ['a custom_id twice', [line, line], 'duplicate_custom_id', 2],
  ['streaming', [{ ...line, body: { ...line.body, stream: true } }], 'streaming_unsupported', 1],
  ['no lines', [], 'empty_file', null],
  ['too many lines', chatLines(6), 'too_many_tasks', null],
])('input: %s → failed with its code', async (_name, lines, code, number) => {
  await using rig = await startRig({ limits: { batchRequests: 5 } });
  const { id } = await createBatch(rig.client, lines);
  expect(await rig.client.batches.retrieve(id)).toMatchObject({ status: 'validating', errors: null });
  rig.clock.advance(HOUR);
  const batch = await rig.client.batches.retrieve(id);
  expect(batch).toMatchObject({ status: 'failed', output_file_id: null, error_file_id: null });
  expect(batch.failed_at).toBeGreaterThan(batch.created_at);
  expect(batch.errors).toEqual({
    object: 'list',
    data: [expect.objectContaining({ code, line: number, message: expect.any(String) })],
  });
});

test('input: text that is not JSON → invalid_json_line for each such line, fifty at most', async () => {
  await using rig = await startRig();
  const file = await upload(rig.client, `${JSON.stringify(line)}\n${'not json\n'.repeat(60)}`);
  const { id } = await rig.client.batches.create({
    input_file_id: file.id,
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
  });
  rig.clock.advance(HOUR);
  const errors = (await rig.client.batches.retrieve(id)).errors!.data!;
  expect(errors.map((error) => error.line)).toEqual(Array.from({ length: 50 }, (_, i) => i + 2));
});

test('input: too many embedding inputs over all lines → too_many_tasks', async () => {
  await using rig = await startRig({ limits: { embeddingInputs: 3 } });
  const lines = [0, 1].map((i) => ({
    custom_id: `e${i}`,
    method: 'POST',
    url: '/v1/embeddings',
    body: { model: 'text-embedding-3-small', input: ['a', 'b'] },
  }));
  const { id } = await createBatch(rig.client, lines, { endpoint: '/v1/embeddings' });
  rig.clock.advance(HOUR);
  expect(await rig.client.batches.retrieve(id)).toMatchObject({ errors: { data: [{ code: 'too_many_tasks' }] } });
});

test('create: an unknown input file → accepted, then failed', async () => {
  await using rig = await startRig();
  const { id } = await rig.client.batches.create({
    input_file_id: 'file-none',
    endpoint: '/v1/responses',
    completion_window: '24h',
  });
  rig.clock.advance(HOUR);
  expect(await rig.client.batches.retrieve(id)).toMatchObject({
    status: 'failed',
    errors: { data: [{ code: 'invalid_request', message: expect.stringContaining('Cannot find file file-none') }] },
  });
});

test.each<[string, object, string | null, string]>([
  ['no input file', { input_file_id: undefined }, 'missing_required_parameter', 'input_file_id'],
  ['an unknown endpoint', { endpoint: '/v1/nothing' }, 'invalid_value', 'endpoint'],
  ['an unknown window', { completion_window: '1h' }, 'invalid_value', 'completion_window'],
  ['metadata that is not text', { metadata: { n: 1 } }, 'invalid_type', 'metadata.n'],
  ['a long key', { metadata: { ['k'.repeat(65)]: '' } }, 'string_above_max_length', `metadata.${'k'.repeat(65)}`],
  ['a long value', { metadata: { k: 'v'.repeat(513) } }, 'string_above_max_length', 'metadata.k'],
  [
    'seventeen pairs',
    { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, ''])) },
    'object_above_max_properties',
    'metadata',
  ],
  [
    'a short expiry of the output',
    { output_expires_after: { anchor: 'created_at', seconds: 1 } },
    'integer_below_min_value',
    'output_expires_after.seconds',
  ],
])('create: %s → 400', async (_name, more, code, param) => {
  await using rig = await startRig();
  const error = await rejection(createBatch(rig.client, chatLines(1), more));
  expect(error).toMatchObject({ status: 400, code, param, type: 'invalid_request_error' });
  expect(await rig.api.batches()).toEqual([]);
});

test('create: a file with another purpose → 400', async () => {
  await using rig = await startRig();
  const file = await upload(rig.client, jsonl(chatLines(1)), 'fine-tune');
  const create = rig.client.batches.create({
    input_file_id: file.id,
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
  });
  expect(await rejection(create)).toMatchObject({ status: 400, param: 'input_file_id' });
});

test('quota: enqueued tokens of a model → token_limit_exceeded until the first batch has ended', async () => {
  await using rig = await startRig({
    limits: { enqueuedTokens: { 'gpt-4o-mini': 60 } },
    batches: { jitter: 0, validatingMs: 1000, inProgressMs: HOUR, finalizingMs: 1000 },
  });
  const first = await createBatch(rig.client, chatLines(10));
  const second = await createBatch(rig.client, chatLines(10));
  rig.clock.advance(2000);
  expect(await rig.client.batches.retrieve(first.id)).toMatchObject({ status: 'in_progress' });
  expect(await rig.client.batches.retrieve(second.id)).toMatchObject({
    status: 'failed',
    errors: { data: [{ code: 'token_limit_exceeded', message: expect.stringContaining('gpt-4o-mini'), line: null }] },
  });
  rig.clock.advance(2 * HOUR);
  const third = await createBatch(rig.client, chatLines(10));
  rig.clock.advance(2000);
  expect(await rig.client.batches.retrieve(third.id)).toMatchObject({ status: 'in_progress' });
});

test('quota: more creates than an hour allows → 429 with retry-after, until the hour is over', async () => {
  await using rig = await startRig({ limits: { batchesPerHour: 2 } });
  await createBatch(rig.client, chatLines(1));
  await createBatch(rig.client, chatLines(1));
  const error = await rejection(createBatch(rig.client, chatLines(1)));
  expect(error).toBeInstanceOf(RateLimitError);
  expect(error.headers!.get('retry-after')).toBe('60');
  rig.clock.advance(HOUR);
  expect(await createBatch(rig.client, chatLines(1))).toMatchObject({ status: 'validating' });
});

test('list: pages of two → all batches, newest first', async () => {
  await using rig = await startRig();
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) ids.push((await createBatch(rig.client, chatLines(1))).id);
  const page = await rig.client.batches.list({ limit: 2 });
  expect(page.data.map((batch) => batch.id)).toEqual([ids[4], ids[3]]);
  expect(page.has_more).toBe(true);
  const all: string[] = [];
  for await (const batch of rig.client.batches.list({ limit: 2 })) all.push(batch.id);
  expect(all).toEqual(ids.toReversed());
});
