import { describe, expect, test } from 'vitest';
import {
  API_ERROR_TABLE,
  classify,
  isAmbiguous,
  type Operation,
  type Verdict,
} from '../../../src/provider/error-table.js';
import { errorWithoutReply, type ApiError } from '../../../src/provider/reply.js';
import { OPERATIONS } from '../../support/api-errors.js';

const creates = OPERATIONS.filter((operation) => operation.endsWith('.create'));
const others = OPERATIONS.filter((operation) => !operation.endsWith('.create'));
const changes = OPERATIONS.filter((operation) => /\.(cancel|pause|resume)$/.test(operation));
const reads = others.filter((operation) => !changes.includes(operation));

function apiError(status: number | null, more: Partial<ApiError> = {}): ApiError {
  return { ...errorWithoutReply(''), status, ...more };
}

const message = (text: string) => ({ message: text });

const QUOTA =
  'You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs.';
const GROQ_RATE_LIMIT =
  'Rate limit reached for model `llama-3.3-70b` on tokens per minute (TPM): Limit 12000, Used 11500. Please try again in 7.5s. Need more tokens? Upgrade at https://console.groq.com/settings/billing';
const FREE_TIER =
  'Rate limit reached for gpt-4o-mini on requests per min. Limit: 3 / min. Please try again in 20s. Visit https://platform.openai.com/account/billing to add a payment method.';

describe('verdict of the first attempt', () => {
  test.each<[status: number | null, more: Partial<ApiError>, operations: readonly Operation[], verdict: Verdict]>([
    // There is no answer.
    [null, message('Connection error. (read ECONNRESET)'), OPERATIONS, 'unavailable'],
    // The key is wrong, the permission is missing, or the money is spent.
    [401, { code: 'invalid_api_key' }, OPERATIONS, 'refused'],
    [403, { code: 'permission_denied' }, OPERATIONS, 'refused'],
    [402, message('Insufficient balance'), OPERATIONS, 'refused'],
    [429, { code: 'insufficient_quota', message: QUOTA }, OPERATIONS, 'refused'],
    [429, { type: 'insufficient_quota' }, OPERATIONS, 'refused'],
    [429, message(QUOTA), OPERATIONS, 'refused'],
    [429, { code: 'billing_not_active' }, OPERATIONS, 'refused'],
    [429, message('Billing hard limit has been reached'), OPERATIONS, 'refused'],
    [429, message('Your credit balance is too low'), OPERATIONS, 'refused'],
    [429, message('You are out of credits'), OPERATIONS, 'refused'],
    // Too many requests are temporary. For a fine-tuning create they mean that there is no slot.
    [429, { code: 'rate_limit_exceeded' }, others, 'unavailable'],
    [429, { code: 'rate_limit_exceeded' }, ['batches.create', 'files.create'], 'unavailable'],
    [429, { code: 'rate_limit_exceeded', message: GROQ_RATE_LIMIT }, ['batches.create'], 'unavailable'],
    [429, { code: 'rate_limit_exceeded', message: FREE_TIER }, ['batches.retrieve'], 'unavailable'],
    [429, { code: 'rate_limit_exceeded' }, ['fineTuning.create'], 'noCapacity'],
    [429, { code: 'daily_rate_limit_exceeded' }, ['fineTuning.create'], 'noCapacity'],
    [400, message('You have reached the maximum of 3 active jobs'), ['fineTuning.create'], 'noCapacity'],
    [400, message('The limit on concurrent jobs is reached'), ['fineTuning.create'], 'noCapacity'],
    [400, { code: 'daily_rate_limit_exceeded' }, ['fineTuning.create'], 'noCapacity'],
    [400, message('Too many running jobs'), ['fineTuning.create'], 'noCapacity'],
    [400, message('You have reached the maximum of 3 active jobs'), ['batches.create'], 'refused'],
    // These statuses are temporary.
    [408, {}, OPERATIONS, 'unavailable'],
    [425, {}, OPERATIONS, 'unavailable'],
    [500, {}, OPERATIONS, 'unavailable'],
    [502, message('an HTML page instead of JSON'), OPERATIONS, 'unavailable'],
    [503, {}, OPERATIONS, 'unavailable'],
    [504, {}, OPERATIONS, 'unavailable'],
    [529, {}, OPERATIONS, 'unavailable'],
    // LiteLLM turns a 429 into a 500.
    [500, message('litellm.RateLimitError: insufficient_quota'), OPERATIONS, 'unavailable'],
    // Creates and reads collide with other requests. For a cancel the status means that the job has ended.
    [409, {}, [...creates, ...reads], 'unavailable'],
    [409, {}, changes, 'refused'],
    // The file is not visible yet.
    [400, message('Cannot find file file-1'), ['batches.create', 'fineTuning.create'], 'unavailable'],
    [404, message('No such File object: file-1'), ['batches.create'], 'unavailable'],
    [404, message('No such file: file-1'), ['batches.create', 'fineTuning.create'], 'unavailable'],
    [404, message("Can't find file"), ['batches.create'], 'unavailable'],
    [400, message('The file file-1 is not ready'), ['batches.create'], 'unavailable'],
    [400, message('File file-1 is still processing'), ['fineTuning.create'], 'unavailable'],
    [400, message('file file-1 has not been processed'), ['batches.create'], 'unavailable'],
    [400, message('training_file does not exist'), ['fineTuning.create'], 'unavailable'],
    [400, message('Cannot find file file-1'), ['files.create', 'batches.cancel'], 'refused'],
    [404, {}, ['files.content', 'files.retrieve'], 'unavailable'],
    // All other errors are permanent.
    [404, {}, ['files.delete', 'batches.retrieve', 'fineTuning.retrieve', 'batches.cancel'], 'refused'],
    [404, { code: 'model_not_found' }, creates, 'refused'],
    [400, { code: 'invalid_value', param: 'endpoint' }, OPERATIONS, 'refused'],
    [400, { code: 'missing_required_parameter' }, OPERATIONS, 'refused'],
    [400, message('This request was flagged by moderation'), OPERATIONS, 'refused'],
    [413, {}, OPERATIONS, 'refused'],
    [422, {}, OPERATIONS, 'refused'],
    [301, {}, OPERATIONS, 'refused'],
    [0, {}, OPERATIONS, 'refused'],
  ])('%j %j at %j → %s', (status, more, operations, verdict) => {
    const verdicts = operations.map((operation) => [operation, classify(operation, apiError(status, more), 1)]);
    expect(Object.fromEntries(verdicts)).toEqual(
      Object.fromEntries(operations.map((operation) => [operation, verdict])),
    );
  });
});

describe('verdict of later attempts', () => {
  test.each<[why: string, operation: Operation, error: ApiError, last: number]>([
    ['a file not found by a create', 'batches.create', apiError(400, message('Cannot find file')), 5],
    ['a file not found by a job', 'fineTuning.create', apiError(404, message('no such file')), 5],
    ['a file without content', 'files.content', apiError(404), 4],
    ['a file not visible', 'files.retrieve', apiError(404), 4],
  ])('%s → unavailable for some attempts, then refused', (_, operation, error, last) => {
    expect(classify(operation, error, last)).toBe('unavailable');
    expect(classify(operation, error, last + 1)).toBe('refused');
    expect(classify(operation, error, 1_000)).toBe('refused');
  });

  test.each<[why: string, operation: Operation, error: ApiError, verdict: Verdict]>([
    ['no answer', 'batches.create', apiError(null), 'unavailable'],
    ['503', 'batches.retrieve', apiError(503), 'unavailable'],
    ['429', 'files.create', apiError(429), 'unavailable'],
    ['no slot', 'fineTuning.create', apiError(429), 'noCapacity'],
  ])('%s → the same after 10,000', (_, operation, error, verdict) => {
    expect(classify(operation, error, 10_000)).toBe(verdict);
  });
});

describe('x-should-retry', () => {
  test.each<[status: number | null, shouldRetry: boolean, verdict: Verdict]>([
    [429, false, 'refused'],
    [409, false, 'refused'],
    [408, false, 'refused'],
    [400, true, 'unavailable'],
    [401, true, 'unavailable'],
    [404, true, 'unavailable'],
    [429, true, 'unavailable'],
    [500, true, 'unavailable'],
    // A server that is down does not know whether it will recover.
    [500, false, 'unavailable'],
    [503, false, 'unavailable'],
  ])('%j with %s → %s', (status, shouldRetry, verdict) => {
    expect(classify('batches.create', apiError(status, { shouldRetry }), 1)).toBe(verdict);
  });

  test('a create without a slot: true → still waits for capacity; false → refused', () => {
    expect(classify('fineTuning.create', apiError(429, { shouldRetry: true }), 1)).toBe('noCapacity');
    expect(classify('fineTuning.create', apiError(429, { shouldRetry: false }), 1)).toBe('refused');
  });

  test('true on an attempt beyond the limit of its row → retried', () => {
    expect(classify('files.content', apiError(404, { shouldRetry: true }), 100)).toBe('unavailable');
  });

  test('a spent quota: true → retried', () => {
    expect(classify('batches.create', apiError(429, { code: 'insufficient_quota', shouldRetry: true }), 1)).toBe(
      'unavailable',
    );
  });
});

test('table: the last row → matches every error', () => {
  const last = API_ERROR_TABLE.at(-1);
  expect(last?.verdict).toBe('refused');
  expect([last?.operation, last?.text]).toEqual([undefined, undefined]);
});

test('verdict: a message of a megabyte → no hang', () => {
  const hostile = ['file ', 'limit ', 'too many ', 'maximum '].map((word) => word.repeat(200_000));
  const start = process.cpuUsage();
  for (const text of hostile) classify('fineTuning.create', apiError(400, message(text)), 1);
  // Processor time, since a busy machine lengthens the other.
  expect(process.cpuUsage(start).user / 1_000).toBeLessThan(5_000);
});

test.each<[status: number | null, expected: boolean]>([
  [null, true],
  [408, true],
  [500, true],
  [503, true],
  [200, true],
  [302, true],
  [400, false],
  [401, false],
  [404, false],
  [409, false],
  [429, false],
])('ambiguous: a create answered with %j → %s', (status, expected) => {
  expect(isAmbiguous(apiError(status))).toBe(expected);
});
