import type OpenAI from 'openai';
import { expect, test } from 'vitest';
import {
  chatLine,
  chatLines,
  createBatch,
  HOUR,
  MINUTE,
  resultLines,
  startRig,
  type ResultLine,
} from '../../support/local-api.js';

interface Ended {
  readonly batch: OpenAI.Batch;
  readonly output: ResultLine[];
  readonly errors: ResultLine[];
}

/** Runs a batch to its end. */
async function runBatch(lines: readonly unknown[], endpoint = '/v1/chat/completions', seed = 1): Promise<Ended> {
  await using rig = await startRig({ seed });
  const more = { endpoint: endpoint as OpenAI.BatchCreateParams['endpoint'] };
  const { id } = await createBatch(rig.client, lines, more);
  rig.clock.advance(HOUR);
  const batch = await rig.client.batches.retrieve(id);
  return {
    batch,
    output: await resultLines(rig.client, batch.output_file_id),
    errors: await resultLines(rig.client, batch.error_file_id),
  };
}

const request = (endpoint: string, body: object): object => ({ custom_id: 'a', method: 'POST', url: endpoint, body });

test('chat: a request → a completion that quotes its question, with usage', async () => {
  const { output } = await runBatch([chatLine(41)]);
  expect(output[0]).toMatchObject({
    id: expect.stringMatching(/^batch_req_[0-9a-f]{32}$/u),
    custom_id: 'request-41',
    error: null,
    response: { status_code: 200, request_id: expect.any(String) },
  });
  const completion = output[0]!.response!.body as unknown as OpenAI.ChatCompletion;
  expect(completion).toMatchObject({ object: 'chat.completion', model: 'gpt-4o-mini' });
  expect(completion.choices[0]).toMatchObject({ finish_reason: 'stop', message: { role: 'assistant', refusal: null } });
  expect(completion.choices[0]!.message.content).toContain('What is 41 plus one?');
  const { prompt_tokens: input, completion_tokens: written, total_tokens: total } = completion.usage!;
  expect(total).toBe(input + written);
});

test('chat: a JSON schema → JSON of that schema', async () => {
  const schema = {
    type: 'object',
    properties: {
      verdict: { type: 'string', enum: ['yes', 'no'] },
      score: { type: 'integer' },
      notes: { type: 'array', items: { $ref: '#/$defs/note' } },
    },
    $defs: { note: { type: 'object', properties: { text: { type: 'string' } } } },
  };
  const line = chatLine(0);
  line.body.response_format = { type: 'json_schema', json_schema: { name: 'verdict', schema } };
  const { output } = await runBatch([line]);
  const { choices } = output[0]!.response!.body as unknown as OpenAI.ChatCompletion;
  expect(JSON.parse(choices[0]!.message.content!)).toEqual({
    verdict: expect.stringMatching(/^(yes|no)$/u),
    score: expect.any(Number),
    notes: [{ text: expect.stringContaining('You asked') }],
  });
});

test('chat: a limit of three tokens → cut by length', async () => {
  const line = chatLine(0);
  line.body.max_tokens = 3;
  const { output } = await runBatch([line]);
  expect(output[0]!.response!.body).toMatchObject({
    choices: [{ finish_reason: 'length' }],
    usage: { completion_tokens: 3 },
  });
});

test('responses: a request → a response with output text', async () => {
  const url = '/v1/responses';
  const { output, batch } = await runBatch([request(url, { model: 'gpt-5', input: 'Why is the sky blue?' })], url);
  expect(output[0]!.response!.body).toMatchObject({
    object: 'response',
    status: 'completed',
    output: [{ type: 'message', content: [{ type: 'output_text', text: expect.stringContaining('the sky blue') }] }],
  });
  expect(batch.usage!.input_tokens).toBe(5);
});

test('embeddings: the same text → the same unit vector; another text → another vector', async () => {
  const url = '/v1/embeddings';
  const lines = [
    { ...request(url, { model: 'e', input: ['x', 'y'] }), custom_id: 'one' },
    { ...request(url, { model: 'e', input: 'x' }), custom_id: 'two' },
    { ...request(url, { model: 'e', input: 'x', dimensions: 16, encoding_format: 'base64' }), custom_id: 'three' },
  ];
  const { output } = await runBatch(lines, url);
  const vectors = (id: string): (number[] | string)[] => {
    const { response } = output.find((line) => line.custom_id === id)!;
    return (response!.body as unknown as OpenAI.CreateEmbeddingResponse).data.map((item) => item.embedding);
  };
  const [x, y] = vectors('one') as [number[], number[]];
  expect(vectors('two')).toEqual([x]);
  expect(y).not.toEqual(x);
  expect(Math.hypot(...x)).toBeCloseTo(1, 4);
  expect(Buffer.from(vectors('three')[0] as string, 'base64')).toHaveLength(16 * 4);
});

test.each([
  ['/v1/completions', { model: 'm', prompt: 'Once' }, { object: 'text_completion' }],
  ['/v1/moderations', { input: 'hello' }, { results: [{ flagged: false }] }],
  ['/v1/images/generations', { prompt: 'a cat', n: 2 }, { data: [{}, {}] }],
  ['/v1/videos', { model: 'sora-2', prompt: 'a cat' }, { object: 'video' }],
])('endpoint %s: a request → an answer of its kind', async (endpoint, body, answer) => {
  const { output } = await runBatch([request(endpoint, body)], endpoint);
  expect(output[0]!.response!.body).toMatchObject(answer);
});

test.each<[string, 'output' | 'errors', object]>([
  ['status=429', 'errors', { error: null, response: { status_code: 429, body: { error: { type: 'requests' } } } }],
  ['status=0', 'errors', { error: null, response: { status_code: 0, body: {} } }],
  ['no-response', 'errors', { response: null, error: { code: 'request_timeout' } }],
  ['null-error', 'output', { error: { code: null, message: null }, response: { status_code: 200 } }],
  ['truncated', 'output', { response: { body: { choices: [{ finish_reason: 'length' }] } } }],
  ['content-filter', 'output', { response: { body: { choices: [{ finish_reason: 'content_filter' }] } } }],
  ['refusal', 'output', { response: { body: { choices: [{ message: { refusal: expect.any(String) } }] } } }],
  ['unknown-id', 'output', { custom_id: 'request-0-unknown' }],
])('user local-api:%s → a line of that kind in the %s', async (word, file, line) => {
  const ended = await runBatch([chatLine(0, `local-api:${word}`), chatLine(1)]);
  const [other, lines] = file === 'output' ? [ended.errors, ended.output] : [ended.output, ended.errors];
  expect(lines.find((candidate) => candidate.custom_id.startsWith('request-0'))).toMatchObject(line);
  expect(lines.length + other.length).toBe(2);
  expect(ended.batch.request_counts!.failed).toBe(file === 'errors' ? 1 : 0);
});

test.each([
  ['missing', 0],
  ['duplicate', 2],
])('user local-api:%s → %i lines in the output', async (word, times) => {
  const { output, errors } = await runBatch([chatLine(0, `local-api:${word}`), chatLine(1)]);
  expect(output.filter((line) => line.custom_id === 'request-0')).toHaveLength(times);
  expect(errors).toEqual([]);
});

test('seed: the same → the same ids, order and answers; another → different ones', async () => {
  const first = await runBatch(chatLines(12), undefined, 5);
  expect(await runBatch(chatLines(12), undefined, 5)).toEqual(first);
  const other = await runBatch(chatLines(12), undefined, 6);
  expect(other.batch.id).not.toBe(first.batch.id);
  expect(other.output.map((line) => line.custom_id)).not.toEqual(first.output.map((line) => line.custom_id));
});

test('output: an expiry of one hour → 404 an hour after the end', async () => {
  await using rig = await startRig({
    batches: { jitter: 0, validatingMs: 0, inProgressMs: MINUTE, finalizingMs: 0 },
  });
  const { id } = await createBatch(rig.client, chatLines(1), {
    output_expires_after: { anchor: 'created_at', seconds: 3600 },
  });
  rig.clock.advance(HOUR);
  const { output_file_id: outputId } = await rig.client.batches.retrieve(id);
  expect(await rig.client.files.retrieve(outputId!)).toMatchObject({
    purpose: 'batch_output',
    filename: `${id}_output.jsonl`,
  });
  rig.clock.advance(MINUTE);
  await expect(rig.client.files.content(outputId!)).rejects.toMatchObject({ status: 404 });
});

test('size: 50,000 lines and many megabytes → checked and answered', async () => {
  const filler = 'lorem ipsum '.repeat(40);
  const lines = Array.from({ length: 50_000 }, (_, i) => {
    const line = chatLine(i);
    line.body.messages = [{ role: 'user', content: `${filler}${i}` }];
    return line;
  });
  await using rig = await startRig();
  const { id } = await createBatch(rig.client, lines);
  rig.clock.advance(HOUR);
  const batch = await rig.client.batches.retrieve(id);
  expect(batch.request_counts).toEqual({ total: 50_000, completed: 50_000, failed: 0 });
  const output = await rig.api.fileContent(batch.output_file_id!);
  expect(output.split('\n')).toHaveLength(50_001);
});
