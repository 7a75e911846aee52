import type { RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import OpenAI, { APIUserAbortError } from 'openai';
import { describe, expect, test } from 'vitest';
import type { ApiError } from '../../../src/provider/reply.js';
import { httpStatusOf } from '../../../src/provider/reply.js';
import { toApiError } from '../../../src/provider/sdk-error.js';
import { answer, API_KEY, errorFrom, rejection, serving } from '../../support/raw-server.js';

const SECRETS = [API_KEY];
const read = async (...given: Parameters<typeof errorFrom>): Promise<ApiError | null> =>
  toApiError(await errorFrom(...given), SECRETS);

const RATE_LIMIT = {
  error: { message: 'Rate limit reached', type: 'requests', param: 'model', code: 'rate_limit_exceeded' },
};

describe('an error of the SDK', () => {
  test('an error reply → status, code, type, param, request id, and how long to wait', async () => {
    const headers = { 'x-request-id': 'req_1', 'retry-after': '90', 'x-should-retry': 'true' };
    expect(await read(answer(429, RATE_LIMIT, headers))).toEqual({
      status: 429,
      code: 'rate_limit_exceeded',
      type: 'requests',
      param: 'model',
      message: expect.stringContaining('Rate limit reached'),
      requestId: 'req_1',
      retryAfterMs: 90_000,
      shouldRetry: true,
    });
  });

  test('a reply without more than its status → nulls', async () => {
    expect(await read(answer(503, ''))).toEqual({
      status: 503,
      code: null,
      type: null,
      param: null,
      message: expect.stringContaining('503'),
      requestId: null,
      retryAfterMs: null,
      shouldRetry: null,
    });
  });

  test.each<[header: Record<string, string>, waitMs: number | null]>([
    [{ 'retry-after-ms': '1500', 'retry-after': '9' }, 1_500],
    [{ 'retry-after': '600' }, 600_000],
    [{ 'retry-after': 'soon' }, null],
    [{}, null],
  ])('reply with %j → waits %j ms', async (headers, waitMs) => {
    expect((await read(answer(503, {}, headers)))?.retryAfterMs).toBe(waitMs);
  });

  test.each<[header: string, expected: boolean | null]>([
    ['true', true],
    ['false', false],
    ['maybe', null],
  ])('x-should-retry: %s → %j', async (header, expected) => {
    expect((await read(answer(429, RATE_LIMIT, { 'x-should-retry': header })))?.shouldRetry).toBe(expected);
  });

  test('a numeric code, as some providers send it → text', async () => {
    expect(await read(answer(402, { error: { message: 'Pay first', code: 402 } }))).toMatchObject({ code: '402' });
  });

  test('code, type and param that are not text → null', async () => {
    const error = { message: 'odd', code: { a: 1 }, type: ['x'], param: '' };
    expect(await read(answer(400, { error }))).toMatchObject({ status: 400, code: null, type: null, param: null });
  });

  test('JSON without an error object → the body is its message', async () => {
    expect(await read(answer(422, { detail: 'field required' }))).toMatchObject({
      status: 422,
      code: null,
      message: expect.stringContaining('422'),
    });
  });

  test("a proxy's HTML page → its title alone", async () => {
    const page = `<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><script>x</script></body></html>`;
    expect(await read(answer(502, page))).toMatchObject({
      status: 502,
      code: null,
      message: '502 an HTML page instead of JSON: "502 Bad Gateway"',
    });
    expect((await read(answer(503, '<html><body>no title</body></html>')))?.message).toBe(
      '503 an HTML page instead of JSON',
    );
  });

  test('a body of megabytes → bounded', async () => {
    const huge = 'x'.repeat(3_000_000);
    const error = { message: huge, code: huge, type: huge, param: huge };
    expect(
      JSON.stringify(await read(answer(400, { error }, { 'x-request-id': 'r'.repeat(5_000) }))).length,
    ).toBeLessThan(3_000);
    expect((await read(answer(400, huge)))?.message.length).toBeLessThanOrEqual(1_000);
    expect((await read(answer(400, `<html><title>${huge}</title></html>`)))?.message.length).toBeLessThanOrEqual(300);
  });

  test('control characters in a body → removed', async () => {
    const message = (await read(answer(400, { error: { message: 'a\u001b[31mb\u0000c\u202ed' } })))?.message;
    expect(message).toContain('a [31mb c d');
  });

  test('a body that echoes the key in every field → the key is redacted everywhere', async () => {
    const echo = `Incorrect API key provided: ${API_KEY}.`;
    const error = { message: echo, code: API_KEY, type: `Bearer ${API_KEY}`, param: `x=${API_KEY}` };
    const text = JSON.stringify([
      await read(answer(401, { error }, { 'x-request-id': API_KEY })),
      await read(answer(401, echo)),
      await read(answer(502, `<html><title>${API_KEY}</title></html>`)),
    ]);
    expect(text).not.toContain(API_KEY);
    expect(text).not.toContain('456GHI');
    expect(text).toContain('[redacted]');
  });

  test('a key that the bound would cut in two → redacted as a whole', async () => {
    const key = 'azurekey0123456789abcdef';
    const error = await errorFrom(answer(401, { error: { message: `${'x'.repeat(980)} ${key}` } }));
    const message = toApiError(error, [key])?.message;
    expect(message).toHaveLength(995);
    expect(message).not.toContain('azure');
  });

  test('a connection that is reset → no status, and the reason from the network', async () => {
    const error = await read((request) => request.socket.resetAndDestroy());
    expect(error).toMatchObject({ status: null, code: null, requestId: null, retryAfterMs: null, shouldRetry: null });
    expect(error?.message).toMatch(/Connection error.*\(.+\)/);
  });

  test('a connection that is refused → no status, and the reason from the network', async () => {
    const gone = await serving(answer(200, {}), async (baseURL) => baseURL);
    const client = new OpenAI({ apiKey: API_KEY, baseURL: gone, maxRetries: 0 });
    const error = toApiError(await rejection(client.batches.retrieve('batch_1')), SECRETS);
    expect(error).toMatchObject({ status: null, message: expect.stringContaining('ECONNREFUSED') });
  });

  test('no answer in time → no status', async () => {
    expect(await read(() => {}, { timeout: 50 })).toMatchObject({
      status: null,
      message: expect.stringContaining('timed out'),
    });
  });

  test.each<[what: string, listener: RequestListener]>([
    [
      'that breaks off',
      (_, response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' }).write('{"id": ');
        setTimeout(() => response.destroy(), 20);
      },
    ],
    ['that is half a JSON text', answer(200, '{"id": "batch_1", ')],
    ['that is empty', answer(200, '')],
  ])('a reply %s → no status, and a code that says so', async (_, listener) => {
    expect(await read(listener)).toMatchObject({
      status: null,
      code: 'unreadable_reply',
      message: expect.stringMatching(/^the reply broke off/),
    });
  });

  test('a client made by require() → its errors are recognised, too', async () => {
    const { OpenAI: Required } = createRequire(import.meta.url)('openai') as { OpenAI: typeof OpenAI };
    expect(Required).not.toBe(OpenAI);
    const [refused, reset] = await serving(
      (request, response) =>
        request.url?.endsWith('reset')
          ? request.socket.resetAndDestroy()
          : answer(401, { error: { message: 'no', code: 'invalid_api_key' } })(request, response),
      async (baseURL) => {
        const client = new Required({ apiKey: API_KEY, baseURL, maxRetries: 0 });
        return [await rejection(client.batches.retrieve('b')), await rejection(client.batches.retrieve('reset'))];
      },
    );
    expect(toApiError(refused, SECRETS)).toMatchObject({ status: 401, code: 'invalid_api_key' });
    expect(toApiError(reset, SECRETS)).toMatchObject({ status: null });
  });

  test('a request that its caller aborts → not an error of the API', async () => {
    const aborted = await serving(
      () => {},
      (baseURL) => {
        const client = new OpenAI({ apiKey: API_KEY, baseURL, maxRetries: 0 });
        return rejection(client.batches.retrieve('batch_1', { signal: AbortSignal.timeout(50) }));
      },
    );
    expect(aborted).toBeInstanceOf(APIUserAbortError);
    expect(toApiError(aborted, SECRETS)).toBeNull();
  });

  test.each<[what: string, error: unknown]>([
    ['a bug', new TypeError('x is not a function')],
    ['a system error', Object.assign(new Error('ENOENT'), { code: 'ENOENT' })],
    ['a string', 'text'],
    ['null', null],
    ['an object that looks like an error', { status: 500, headers: {}, requestID: 'r', error: {} }],
  ])('%s → not an error of the API', (_, error) => {
    expect(toApiError(error, SECRETS)).toBeNull();
  });
});

describe('its HTTP status', () => {
  test('an error reply → its status', async () => {
    expect(httpStatusOf(await errorFrom(answer(404, {})))).toBe(404);
  });

  test('a connection that is reset → null', async () => {
    expect(httpStatusOf(await errorFrom((request) => request.socket.resetAndDestroy()))).toBeNull();
  });

  test.each([
    new Error('a bug'),
    Object.assign(new Error('of another library'), { status: 404 }),
    { status: 404 },
    null,
  ])('%s → null', (error) => {
    expect(httpStatusOf(error)).toBeNull();
  });
});
