import { describe, expect, test } from 'vitest';
import {
  enqueuedLimitIn,
  passingRefusal,
  tokenLimitIn,
  type EnqueuedLimit,
  type PassingRefusal,
} from '../../../src/contract/refusal-reason.js';

const OPENAI_TOKENS =
  'token_limit_exceeded Enqueued token limit reached for gpt-4o-mini in organization org-1. Limit: 2,000,000 enqueued tokens. Please try again once some in_progress batches have been completed.';
const OPENAI_REQUESTS =
  'request_limit_exceeded Enqueued request limit reached for text-embedding-3-small in organization org-1. Limit: 1,000,000 enqueued requests. Please try again once some in_progress batches have been completed.';
const AZURE = 'The number of enqueued tokens has surpassed the configured limit of 30K';
const QUOTA =
  'insufficient_quota You exceeded your current quota, please check your plan and billing details. For more information, read the docs.';
const GROQ =
  'rate_limit_exceeded Rate limit reached for model `llama-3.3-70b` on tokens per minute (TPM): Limit 12000, Used 11500. Upgrade at https://console.groq.com/settings/billing';

describe('why a refusal passes', () => {
  test.each<[text: string, reason: PassingRefusal | null]>([
    [OPENAI_TOKENS, 'room'],
    [OPENAI_REQUESTS, 'room'],
    [AZURE, 'room'],
    ['You have exceeded the maximum number of enqueued prompt tokens', 'room'],
    ['exceeded your current quota of enqueued tokens', 'room'],
    ['Please try again when some running jobs have completed: too many running jobs', 'room'],
    ['You have exceeded the number of concurrent batches', 'room'],
    ['too_many_requests', 'room'],
    ['RESOURCE_EXHAUSTED', 'room'],
    [GROQ, 'room'],
    [QUOTA, 'credit'],
    ['insufficient_quota', 'credit'],
    ['insufficient_user_quota', 'credit'],
    ['exceeded_quota', 'credit'],
    ['Insufficient Balance', 'credit'],
    ['Your credit balance is too low to access the API', 'credit'],
    ['billing_hard_limit_reached Billing hard limit has been reached', 'credit'],
    ['Your account is not active, please check your billing details on our website.', 'credit'],
    ['Budget has been exceeded! Current cost: 12.5, Max budget: 10', 'credit'],
    ['You have reached your monthly spending limit', 'credit'],
    ['Your prepayment credits are depleted', 'credit'],
    ["model_not_found The model 'gpt-0' does not exist", null],
    ['invalid_json_line This line is not parseable as valid JSON.', null],
    ['too_many_tasks The batch input file contains too many requests: 60000. The maximum is 50000.', null],
    ['The batch was not accepted.', null],
    ['', null],
  ])('%s → %s', (text, reason) => {
    expect(passingRefusal(text)).toBe(reason);
  });
});

describe('the limit of enqueued tokens', () => {
  test.each<[message: string, limit: number | null]>([
    [OPENAI_TOKENS, 2_000_000],
    ['Enqueued token limit reached for gpt-4o-2024-08-06. Limit: 90,000 enqueued tokens.', 90_000],
    ['Enqueued token limit reached. Limit: 90000.', 90_000],
    [AZURE, 30_000],
    [`${AZURE}.`, 30_000],
    ['Enqueued tokens have surpassed the limit of 1.5M', 1_500_000],
    ['The maximum for enqueued tokens is 2 million', 2_000_000],
    ['Limit: 2M enqueued tokens', 2_000_000],
    ['limit: 1_000_000 tokens', 1_000_000],
    ['limit: 90.000 tokens', 90_000],
    ['limit (40 k) of enqueued tokens', 40_000],
    // Limits of something else, of a rate, or none at all.
    [OPENAI_REQUESTS, null],
    [GROQ, null],
    ['The limit of enqueued tokens is reached', null],
    ['Rate limit reached on requests per min. Limit: 3 / min.', null],
    ['Limit: 0 enqueued tokens', null],
    ['', null],
  ])('%s → %s', (message, limit) => {
    expect(tokenLimitIn(message)).toBe(limit);
  });
});

describe('the limit of what may be enqueued', () => {
  test.each<[message: string, limit: EnqueuedLimit | null]>([
    [OPENAI_TOKENS, { unit: 'tokens', limit: 2_000_000 }],
    [OPENAI_REQUESTS, { unit: 'requests', limit: 1_000_000 }],
    [AZURE, { unit: 'tokens', limit: 30_000 }],
    ['Limit: 900,000 enqueued tokens', { unit: 'tokens', limit: 900_000 }],
    ['Your tier allows 90,000 enqueued tokens.', { unit: 'tokens', limit: 90_000 }],
    ['You may have at most 1.5M enqueued requests at a time', { unit: 'requests', limit: 1_500_000 }],
    ['Enqueued tokens exceed the quota', { unit: 'tokens', limit: null }],
    ['token_limit_exceeded', { unit: 'tokens', limit: null }],
    // What is in use is not the limit.
    ['You have 85,000 enqueued tokens; the limit is 90,000 tokens', { unit: 'tokens', limit: 90_000 }],
    ['There are 85,000 enqueued tokens already', { unit: 'tokens', limit: null }],
    [QUOTA, null],
    [GROQ, null],
    ['Too many enqueued batches: the limit is 100 batches', null],
    ['You have exceeded your daily limit of 5,000 requests per day', null],
    ['A batch may have at most 50,000 requests', null],
    ['The maximum context length is 8,192 tokens', null],
    ['Your prepaid credits for enqueued tokens are used up', null],
    ['', null],
  ])('%s → %j', (message, limit) => {
    expect(enqueuedLimitIn(message)).toEqual(limit);
  });

  test.each([
    'The batch contains too many requests',
    'Too many requests in the file: 60000, maximum 50000',
    'The maximum number of requests per batch is 50000; this would exceed the limit of pending tasks',
    "This model's maximum context length is 8192 tokens, your quota of tokens is exceeded",
  ])('lookalikes: %s → not want of room', (text) => {
    expect(passingRefusal(text)).toBeNull();
  });
});
