import type { RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import { ApplicationFailure } from '@temporalio/common';
import OpenAI, { APIUserAbortError } from 'openai';
import { describe, expect, test } from 'vitest';
import { apiFailure, toApiError } from '../../../../src/activities/calls/api-failure.js';
import type { ApiError } from '../../../../src/provider/error-table.js';
import { answer, API_KEY, errorFrom, rejection, serving } from '../../../support/raw-server.js';

const SECRETS = [API_KEY];
const read = async (...given: Parameters<typeof errorFrom>): Promise<ApiError | null> =>
  toApiError(await errorFrom(...given), SECRETS);

const failureOf = async (status: number, body: unknown, headers: Record<string, string> = {}) =>
  apiFailure('batches.create', (await read(answer(status, body, headers)))!, 1);

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

  test('a reply that says nothing more than its status → nulls', async () => {
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

  test.each<[header: Record<string, string>, waits: number | null]>([
    [{ 'retry-after-ms': '1500', 'retry-after': '9' }, 1_500],
    [{ 'retry-after': '600' }, 600_000],
    [{ 'retry-after': 'soon' }, null],
    [{}, null],
  ])('reply with %j → waits %j ms', async (headers, waits) => {
    expect((await read(answer(503, {}, headers)))?.retryAfterMs).toBe(waits);
  });

  test.each<[header: string, says: boolean | null]>([
    ['true', true],
    ['false', false],
    ['maybe', null],
  ])('x-should-retry: %s → %j', async (header, says) => {
    expect((await read(answer(429, RATE_LIMIT, { 'x-should-retry': header })))?.shouldRetry).toBe(says);
  });

  test('a numeric code, as some providers have it → text', async () => {
    expect(await read(answer(402, { error: { message: 'Pay first', code: 402 } }))).toMatchObject({ code: '402' });
  });

  test('code, type and param that are no text → null', async () => {
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

  test("a proxy's HTML page → its title and nothing else of it", async () => {
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

  test('control characters in a body → gone', async () => {
    const message = (await read(answer(400, { error: { message: 'a\u001b[31mb\u0000c\u202ed' } })))?.message;
    expect(message).toContain('a [31mb c d');
  });

  test('a body that echoes the key in every field → the key is nowhere', async () => {
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

  test('a key that the bound would cut in two → not even its start is left', async () => {
    const key = 'azurekey0123456789abcdef';
    const error = await errorFrom(answer(401, { error: { message: `${'x'.repeat(980)} ${key}` } }));
    const message = toApiError(error, [key])?.message;
    expect(message).toHaveLength(995);
    expect(message).not.toContain('azure');
  });

  test('a connection that is reset → no status, and the reason of the network', async () => {
    const error = await read((request) => request.socket.resetAndDestroy());
    expect(error).toMatchObject({ status: null, code: null, requestId: null, retryAfterMs: null, shouldRetry: null });
    expect(error?.message).toMatch(/Connection error.*\(.+\)/);
  });

  test('a connection that is refused → no status, and the reason of the network', async () => {
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
    ['of nothing', answer(200, '')],
  ])('a reply %s → as if none had come', async (_, listener) => {
    expect(await read(listener)).toMatchObject({
      status: null,
      code: 'unreadable_reply',
      message: expect.stringMatching(/^the reply broke off/),
    });
  });

  test('a client made by require() → its errors are known all the same', async () => {
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

  test('a request that its own caller aborts → none of the API', async () => {
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
    ['no error at all', 'text'],
    ['null', null],
    ['an object that looks like one', { status: 500, headers: {}, requestID: 'r', error: {} }],
  ])('%s → none of the API', (_, error) => {
    expect(toApiError(error, SECRETS)).toBeNull();
  });
});

describe('its failure', () => {
  test('refused → not retryable, with the words and everything that helps a support case', async () => {
    const error = {
      message: 'Invalid endpoint',
      type: 'invalid_request_error',
      param: 'endpoint',
      code: 'invalid_value',
    };
    const failure = await failureOf(400, { error }, { 'x-request-id': 'req_1', 'retry-after': '5' });
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure).toMatchObject({ type: 'ApiRefused', nonRetryable: true });
    expect(failure.nextRetryDelay).toBeUndefined();
    expect(failure.message).toMatch(/^batches\.create: HTTP 400 invalid_value: .*Invalid endpoint/);
    expect(failure.details).toEqual([
      {
        operation: 'batches.create',
        status: 400,
        code: 'invalid_value',
        type: 'invalid_request_error',
        param: 'endpoint',
        requestId: 'req_1',
      },
    ]);
  });

  test("unavailable → retryable; the reply's own wait is the next delay, also over 60 s", async () => {
    const failure = await failureOf(429, RATE_LIMIT, { 'retry-after': '120' });
    expect(failure).toMatchObject({ type: 'ApiUnavailable', nonRetryable: false, nextRetryDelay: 120_000 });
  });

  test("unavailable and no wait named → the activity's own back-off", async () => {
    const failure = await failureOf(503, '');
    expect(failure).toMatchObject({ type: 'ApiUnavailable', nonRetryable: false });
    expect(failure.nextRetryDelay).toBeUndefined();
  });

  test('a wait of nothing → 1 ms, since 0 would mean "not said"', async () => {
    expect((await failureOf(503, '', { 'retry-after': '0' })).nextRetryDelay).toBe(1);
  });

  test('no room → retryable, a minute later unless the reply names a time', async () => {
    const error = (await read(answer(429, RATE_LIMIT)))!;
    expect(apiFailure('fineTuning.create', error, 1)).toMatchObject({
      type: 'WaitingForCapacity',
      nonRetryable: false,
      nextRetryDelay: 60_000,
    });
    expect(apiFailure('fineTuning.create', { ...error, retryAfterMs: 5_000 }, 1).nextRetryDelay).toBe(5_000);
  });

  test('no answer → retryable, and the message says so', async () => {
    const error = (await read((request) => request.socket.resetAndDestroy()))!;
    const failure = apiFailure('batches.create', error, 1);
    expect(failure).toMatchObject({ type: 'ApiUnavailable', nonRetryable: false });
    expect(failure.message).toMatch(/^batches\.create: no answer: Connection error/);
    expect(failure.details).toEqual([
      { operation: 'batches.create', status: null, code: null, type: null, param: null, requestId: null },
    ]);
  });

  test('an attempt beyond the limit of its row → not retryable any more', async () => {
    const error = (await read(answer(404, { error: { message: 'No such File object: file-1' } })))!;
    expect(apiFailure('files.content', error, 4)).toMatchObject({ type: 'ApiUnavailable', nonRetryable: false });
    expect(apiFailure('files.content', error, 5)).toMatchObject({ type: 'ApiRefused', nonRetryable: true });
  });
});
