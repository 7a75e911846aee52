import { ApplicationFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import { apiFailure } from '../../../../src/activities/calls/api-failure.js';
import { errorWithoutReply, type ApiError } from '../../../../src/provider/reply.js';
import { toApiError } from '../../../../src/provider/sdk-error.js';
import { answer, errorFrom } from '../../../support/raw-server.js';

const read = async (...given: Parameters<typeof errorFrom>): Promise<ApiError> =>
  toApiError(await errorFrom(...given), [])!;

const failureOf = async (status: number, body: unknown, headers: Record<string, string> = {}) =>
  apiFailure('batches.create', await read(answer(status, body, headers)), 1);

const RATE_LIMIT = {
  error: { message: 'Rate limit reached', type: 'requests', param: 'model', code: 'rate_limit_exceeded' },
};

test('failure: refused → not retryable, with the message and everything that helps a support case', async () => {
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
  expect(failure.message).toBe('batches.create: HTTP 400 invalid_value: Invalid endpoint');
  expect(failure.stack).toBe('');
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

test('failure: unavailable → retryable; the wait that the reply asks for is the next delay, also over 60 s', async () => {
  const failure = await failureOf(429, RATE_LIMIT, { 'retry-after': '120' });
  expect(failure).toMatchObject({ type: 'ApiUnavailable', nonRetryable: false, nextRetryDelay: 120_000 });
});

test('failure: unavailable without a wait → the back-off of the activity', async () => {
  const failure = await failureOf(503, '');
  expect(failure).toMatchObject({ type: 'ApiUnavailable', nonRetryable: false });
  expect(failure.nextRetryDelay).toBeUndefined();
});

test('failure: a wait of 0 → 1 ms, since 0 would mean that no delay is set', async () => {
  expect((await failureOf(503, '', { 'retry-after': '0' })).nextRetryDelay).toBe(1);
});

test('failure: no capacity → retryable, a minute later unless the reply names a time', async () => {
  const error = await read(answer(429, RATE_LIMIT));
  expect(apiFailure('fineTuning.create', error, 1)).toMatchObject({
    type: 'WaitingForCapacity',
    nonRetryable: false,
    nextRetryDelay: 60_000,
  });
  expect(apiFailure('fineTuning.create', { ...error, retryAfterMs: 5_000 }, 1).nextRetryDelay).toBe(5_000);
});

test('failure: a cancel → waits for at most a minute, whatever the reply asks for', async () => {
  const error = await read(answer(429, RATE_LIMIT, { 'retry-after': '86400' }));
  expect(apiFailure('batches.cancel', error, 1).nextRetryDelay).toBe(60_000);
  expect(apiFailure('batches.retrieve', error, 1).nextRetryDelay).toBe(3_600_000);
});

test('failure: no answer → retryable, and the message says so', async () => {
  const error = await read((request) => request.socket.resetAndDestroy());
  const failure = apiFailure('batches.create', error, 1);
  expect(failure).toMatchObject({ type: 'ApiUnavailable', nonRetryable: false });
  expect(failure.message).toMatch(/^batches\.create: no answer: Connection error/);
  expect(failure.details).toEqual([
    { operation: 'batches.create', status: null, code: null, type: null, param: null, requestId: null },
  ]);
});

test('failure: an attempt beyond the limit of its row → no longer retryable', async () => {
  const error = await read(answer(404, { error: { message: 'No such File object: file-1' } }));
  expect(apiFailure('files.content', error, 4)).toMatchObject({ type: 'ApiUnavailable', nonRetryable: false });
  expect(apiFailure('files.content', error, 5)).toMatchObject({ type: 'ApiRefused', nonRetryable: true });
});

test('failure: a reply that cannot be read → retryable, and the message does not claim that there was no answer', () => {
  const error = errorWithoutReply('unexpected reply: missing or invalid id', 'unreadable_reply');
  const failure = apiFailure('batches.create', error, 1);
  expect(failure).toMatchObject({ type: 'ApiUnavailable', nonRetryable: false });
  expect(failure.message).toBe('batches.create: unexpected reply: missing or invalid id');
  expect(failure.details).toEqual([
    { operation: 'batches.create', status: null, code: 'unreadable_reply', type: null, param: null, requestId: null },
  ]);
});
