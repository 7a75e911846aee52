import type OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { batchObjectSchema } from '../../../../src/provider/objects/batch.js';
import { isHalfDone } from '../../../../src/contract/snapshots.js';

const BATCH: OpenAI.Batch = {
  id: 'batch_1',
  object: 'batch',
  status: 'completed',
  endpoint: '/v1/chat/completions',
  completion_window: '24h',
  model: 'gpt-4o-mini',
  input_file_id: 'file-in',
  output_file_id: 'file-out',
  error_file_id: 'file-err',
  errors: { object: 'list', data: [{ code: 'invalid_json_line', line: 3, message: 'Not JSON', param: 'body' }] },
  request_counts: { total: 10, completed: 9, failed: 1 },
  usage: {
    input_tokens: 5,
    output_tokens: 6,
    total_tokens: 11,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens_details: { reasoning_tokens: 0 },
  },
  metadata: { temporal_llm_job: 'default/w/r' },
  created_at: 1_800_000_000,
  in_progress_at: 1_800_000_001,
  expires_at: 1_800_086_400,
  finalizing_at: 1_800_000_002,
  completed_at: 1_800_000_003,
  failed_at: 1_800_000_004,
  expired_at: 1_800_000_005,
  cancelling_at: 1_800_000_006,
  cancelled_at: 1_800_000_007,
};
const read = (changes: Record<string, unknown>) => batchObjectSchema.parse({ ...BATCH, ...changes });
const NOTHING = {
  id: 'batch_1',
  status: 'validating',
  model: null,
  inputFileId: null,
  outputFileId: null,
  errorFileId: null,
  errors: [],
  requestCounts: { total: 0, completed: 0, failed: 0 },
  usage: null,
  metadata: {},
  timestamps: {
    createdAt: null,
    inProgressAt: null,
    expiresAt: null,
    finalizingAt: null,
    completedAt: null,
    failedAt: null,
    expiredAt: null,
    cancellingAt: null,
    cancelledAt: null,
  },
};

test("batch: the API's own object → every part of it in its place", () => {
  expect(batchObjectSchema.parse(BATCH)).toEqual({
    id: 'batch_1',
    status: 'completed',
    model: 'gpt-4o-mini',
    inputFileId: 'file-in',
    outputFileId: 'file-out',
    errorFileId: 'file-err',
    errors: [{ code: 'invalid_json_line', line: 3, message: 'Not JSON', param: 'body' }],
    requestCounts: { total: 10, completed: 9, failed: 1 },
    usage: { input_tokens: 5, output_tokens: 6, total_tokens: 11 },
    metadata: { temporal_llm_job: 'default/w/r' },
    timestamps: {
      createdAt: 1_800_000_000,
      inProgressAt: 1_800_000_001,
      expiresAt: 1_800_086_400,
      finalizingAt: 1_800_000_002,
      completedAt: 1_800_000_003,
      failedAt: 1_800_000_004,
      expiredAt: 1_800_000_005,
      cancellingAt: 1_800_000_006,
      cancelledAt: 1_800_000_007,
    },
  });
});

test.each<[what: string, blank: unknown]>([
  ['absent', undefined],
  ['null', null],
  ['""', ''],
])('batch: everything but id and status %s → read alike, as nothing', (_, blank) => {
  const blanks = Object.fromEntries(Object.keys(BATCH).map((key) => [key, blank]));
  expect(batchObjectSchema.parse({ ...blanks, id: 'batch_1', status: 'Validating' })).toEqual(NOTHING);
});

test('batch: id and status alone → read as nothing more', () => {
  expect(batchObjectSchema.parse({ id: 'batch_1', status: 'validating' })).toEqual(NOTHING);
});

describe("batch: another service's way of writing → the same batch", () => {
  test.each<[why: string, changes: Record<string, unknown>]>([
    ['status in upper case', { status: 'COMPLETED' }],
    ['status capitalised', { status: 'Completed' }],
    ['epoch milliseconds', { created_at: 1_800_000_000_000 }],
    ['ISO time', { created_at: '2027-01-15T08:00:00Z' }],
    ['ISO time without a zone', { created_at: '2027-01-15T08:00:00' }],
    ['unknown fields', { created_by: 'x', nested: { id: 1 }, provider_specific: [1, 2] }],
  ])('%s', (_, changes) => {
    expect(read(changes)).toEqual(batchObjectSchema.parse(BATCH));
  });
});

test.each<[why: string, counts: unknown, expected: object]>([
  ['null in each', { total: null, completed: null, failed: null }, { total: 0, completed: 0, failed: 0 }],
  ['some absent', { total: 5 }, { total: 5, completed: 0, failed: 0 }],
  ['counts that do not sum', { total: 10, completed: 1, failed: 0 }, { total: 10, completed: 1, failed: 0 }],
  ['no object', 'many', { total: 0, completed: 0, failed: 0 }],
])('batch: counts with %s → %j', (_, counts, expected) => {
  expect(read({ request_counts: counts }).requestCounts).toEqual(expected);
});

test.each<[why: string, errors: unknown, expected: unknown[]]>([
  ['null', null, []],
  ['an empty list', { object: 'list', data: [] }, []],
  ['a null list', { object: 'list', data: null }, []],
  ['no list', { message: 'x' }, []],
  ['an error of nulls', { data: [{ code: null, line: null, message: null, param: null }] }, [{}]],
  ['a numeric code', { data: [{ code: 400, message: 'm' }] }, [{ code: '400', message: 'm' }]],
  ['a line that is text', { data: [{ code: 'c', line: 'three' }] }, [{ code: 'c' }]],
])('batch: errors with %s → %j', (_, errors, expected) => {
  const nothing = { code: null, line: null, message: null, param: null };
  expect(read({ errors }).errors).toEqual(expected.map((error) => ({ ...nothing, ...(error as object) })));
});

test('batch: an error for each of many lines, each of a megabyte → as many and as much as a history can hold', () => {
  const message = 'x'.repeat(1_000_000);
  const data = Array.from({ length: 1_000 }, (_, line) => ({ code: message, line, message, param: message }));
  const { errors } = read({ errors: { data } });
  expect(errors).toHaveLength(100);
  expect(errors[0]?.line).toBe(0);
  expect(JSON.stringify(errors).length).toBeLessThan(200_000);
});

test.each<[why: string, changes: Record<string, unknown>]>([
  ['no id', { id: undefined }],
  ['an empty id', { id: '' }],
  ['a number for an id', { id: 5 }],
  ['no status', { status: undefined }],
  ['an empty status', { status: ' ' }],
  ['null for a status', { status: null }],
])('batch: %s → not a batch', (_, changes) => {
  expect(batchObjectSchema.safeParse({ ...BATCH, ...changes }).success).toBe(false);
});

test.each([
  [{ total: 0, completed: 0, failed: 0 }, false],
  [{ total: 10, completed: 4, failed: 0 }, false],
  [{ total: 10, completed: 4, failed: 1 }, true],
  [{ total: 9, completed: 4, failed: 0 }, false],
  [{ total: 9, completed: 5, failed: 0 }, true],
  [{ total: 10, completed: 10, failed: 0 }, true],
])('batch: counts %j → half done: %s', (counts, expected) => {
  expect(isHalfDone(counts)).toBe(expected);
});
