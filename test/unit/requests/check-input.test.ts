import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type BatchInputOptions, checkBatchInput } from '../../../src/requests/check-input.js';
import { countEmbeddingInputs } from '../../../src/requests/check-request.js';
import { jsonl, request } from '../../support/result-lines.js';
import { bytesOf, chunked } from '../../support/streams.js';

const ENDPOINT = '/v1/chat/completions';

function check(content: string | Uint8Array, options: Partial<BatchInputOptions> = {}) {
  return checkBatchInput(bytesOf(content), { endpoint: ENDPOINT, ...options });
}

async function faultsOf(content: string | Uint8Array, options: Partial<BatchInputOptions> = {}) {
  return (await check(content, options)).faults.faults;
}

describe('checkBatchInput', () => {
  it('batch input: a good file → its figures, and no fault', async () => {
    const content = jsonl(request('a'), '', request('b', { extra: 1 }), request('é😀'));
    expect(await check(content)).toEqual({
      requests: 3,
      bytes: Buffer.byteLength(content),
      sha256: createHash('sha256').update(content).digest('hex'),
      hasByteOrderMark: false,
      model: 'gpt-4o-mini',
      embeddingInputs: 0,
      estimatedTokens: expect.any(Number) as number,
      faults: { faults: [], total: 0 },
    });
  });

  it.each(['', '\n', '\uFEFF', '\r\n \n'])('batch input: %j → empty', async (content) => {
    expect(await faultsOf(content)).toEqual([{ message: 'no requests' }]);
  });

  it.each<[string, string, string | RegExp]>([
    ['{"custom_id":', 'cut', /^not valid JSON/],
    [`${JSON.stringify(request('a'))} trailing`, 'garbage at the end', /^not valid JSON/],
    [`${JSON.stringify(request('a'))}${JSON.stringify(request('b'))}`, 'two objects', /^not valid JSON/],
    ['[1]', 'an array', 'must be a JSON object, not an array'],
    ['null', 'null', 'must be a JSON object, not null'],
    ['"text"', 'a string', 'must be a JSON object, not a string'],
  ])('line: %s (%s) → a fault without a field', async (line, _, message) => {
    const [fault] = await faultsOf(jsonl(request('first'), line));
    expect(fault).toEqual({ line: 2, message: expect.stringMatching(message) as string });
  });

  it.each<[Record<string, unknown>, string, string]>([
    [{ custom_id: undefined }, 'custom_id', 'missing; must be a non-empty string'],
    [{ custom_id: 7 }, 'custom_id', 'must be a non-empty string, not a number'],
    [{ custom_id: '' }, 'custom_id', 'must be a non-empty string, not an empty string'],
    [{ custom_id: 'x'.repeat(513) }, 'custom_id', '513 characters; the limit is 512'],
    [{ method: undefined }, 'method', 'must be "POST"'],
    [{ method: 'GET' }, 'method', 'must be "POST"'],
    [{ url: '/v1/embeddings' }, 'url', 'must be the endpoint, /v1/chat/completions'],
    [{ url: undefined }, 'url', 'must be the endpoint, /v1/chat/completions'],
    [{ body: undefined }, 'body', 'missing; must be an object'],
    [{ body: [] }, 'body', 'must be an object, not an array'],
    [{ body: {} }, 'body.model', 'missing; must be the name of a model'],
    [{ body: { model: '' } }, 'body.model', 'must be the name of a model, not an empty string'],
    [{ body: { model: 'other' } }, 'body.model', 'differs from the model on line 1; a batch has one model'],
    [{ body: { model: 'gpt-4o-mini', stream: true } }, 'body.stream', 'must not be true: a batch does not stream'],
  ])('request: %j → a fault of %s', async (changes, field, message) => {
    expect(await faultsOf(jsonl(request('first'), request('a', changes)))).toEqual([{ line: 2, field, message }]);
  });

  it('custom_id: the same twice → both lines named, the id escaped and bounded', async () => {
    const id = `<b>"\n\u202E${'y'.repeat(200)}`;
    const [fault] = await faultsOf(jsonl(request('a'), request(id), '', request(id)));
    expect(fault).toMatchObject({ line: 4, field: 'custom_id' });
    expect(fault!.message).toMatch(/^duplicate custom_id ".*" \(first on line 2\)$/);
    expect(fault!.message.length).toBeLessThan(200);
    expect(fault!.message).not.toContain('\n');
  });

  it('limits: more requests, bytes or embedding inputs than allowed → each with both numbers', async () => {
    const lines = Array.from({ length: 5 }, (_, index) =>
      request(`${index}`, { url: '/v1/embeddings', body: { model: 'e', input: ['a', 'b', 'c'] } }),
    );
    const content = jsonl(...lines);
    const faults = await faultsOf(content, {
      endpoint: '/v1/embeddings',
      limits: { requests: 3, bytes: 100, embeddingInputs: 14 },
    });
    expect(faults).toEqual([
      { line: 4, message: '5 requests; the limit of a batch is 3' },
      { message: `${content.length} bytes; the limit of a batch is 100` },
      { message: '15 embedding inputs; the limit of a batch is 14' },
    ]);
  });

  it('limits: exactly as many as allowed → no fault', async () => {
    const content = jsonl(request('a'), request('b'));
    expect(await faultsOf(content, { limits: { requests: 2, bytes: content.length } })).toEqual([]);
  });

  it('limits: a line that is too long → its length and the limit', async () => {
    const [fault] = await faultsOf(jsonl(request('x'.repeat(100))), { limits: { lineBytes: 50 } });
    expect(fault!.message).toMatch(/^\d+ bytes; the limit of a line is 50$/);
  });

  it.each<[unknown, number]>([
    ['text', 1],
    [[1, 2, 3], 1],
    [['a', 'b'], 2],
    [[[1, 2], [3], [4]], 3],
    [[], 0],
    [undefined, 0],
  ])('embedding input: %j → %d', (input, count) => {
    expect(countEmbeddingInputs(input)).toBe(count);
  });

  it('faults: 100 of them beside one of the file → the first 20 in full, all counted', async () => {
    const lines = Array.from({ length: 100 }, (_, index) => request(`${index}`, { method: 'GET' }));
    const { faults } = await check(jsonl(...lines), { limits: { requests: 50 } });
    expect(faults.total).toBe(101);
    expect(faults.faults).toHaveLength(20);
    expect(faults.faults[0]).toMatchObject({ line: 51 });
    expect(faults.faults[19]).toEqual({ line: 19, field: 'method', message: 'must be "POST"' });
  });

  it('faults: whatever is wrong → nothing of the body in a message', async () => {
    const secret = 'TOPSECRET';
    const { faults } = await check(
      jsonl(
        request('a', { body: { model: `${secret}-1`, stream: true } }),
        request('b', { body: { model: `${secret}-2` }, method: secret, url: secret }),
        request('c', { body: secret }),
        `{"custom_id":"d","body":{"messages":"${secret}`,
        secret,
        `{"body":{"${secret}":1}} ${secret}`,
      ),
    );
    expect(faults.total).toBeGreaterThanOrEqual(8);
    expect(JSON.stringify(faults)).not.toContain(secret);
  });

  it('custom ids: 100,000 of them → every duplicate found', async () => {
    const lines = Array.from({ length: 100_000 }, (_, index) => JSON.stringify(request(`id-${index}`)));
    lines.push(lines[0]!, lines[99_999]!);
    const { faults, requests } = await check(lines.join('\n'), { limits: { requests: 200_000 } });
    expect(requests).toBe(100_002);
    expect(faults.faults.map(({ line, message }) => [line, /first on line (\d+)/.exec(message)?.[1]])).toEqual([
      [100_001, '1'],
      [100_002, '100000'],
    ]);
  });

  it('a byte order mark → told, and not a fault', async () => {
    const report = await check(`\uFEFF${jsonl(request('a'))}`);
    expect(report).toMatchObject({ hasByteOrderMark: true, requests: 1, faults: { total: 0 } });
  });

  it.each(['utf16le', 'marked', 'big-endian'] as const)('UTF-16 (%s) → one fault of the file', async (kind) => {
    const content = Buffer.from(`${kind === 'marked' ? '\uFEFF' : ''}${jsonl(request('a'), request('b'))}`, 'utf16le');
    if (kind === 'big-endian') content.swap16();
    const { faults } = await checkBatchInput(chunked(content, 1), { endpoint: ENDPOINT });
    expect(faults).toEqual({ total: 1, faults: [{ message: 'the file is UTF-16; save it as UTF-8' }] });
  });

  it.each(['/v1/moderations', '/v1/images/generations', '/images/edits'])('%s without a model → valid', async (url) => {
    const { faults, model } = await checkBatchInput(bytesOf(jsonl(request('a', { url, body: { input: 'x' } }))), {
      endpoint: url,
    });
    expect([faults.total, model]).toEqual([0, null]);
  });

  it.each([
    ['/chat/completions', '/v1/chat/completions', 0],
    ['/v1/responses', '/responses', 0],
    ['/v1/responses', '/v2/responses', 1],
    ['/chat/completions', '/openai/v1/chat/completions', 1],
  ])('endpoint %s, url %s → %i faults', async (endpoint, url, total) => {
    const { faults } = await checkBatchInput(bytesOf(jsonl(request('a', { url }))), { endpoint });
    expect(faults.total).toBe(total);
  });

  it('images in base64 → counted as images, however large they are', async () => {
    const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(400_000)}` } };
    const body = { model: 'm', messages: [{ role: 'user', content: [image, image] }] };
    const { estimatedTokens } = await check(jsonl(request('a', { body })));
    expect(estimatedTokens).toBeGreaterThan(2_000);
    expect(estimatedTokens).toBeLessThan(2_200);
  });
});
