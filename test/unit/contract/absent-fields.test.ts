import { expect, test } from 'vitest';
import { withoutNulls } from '../../../src/contract/absent-fields.js';
import { parseBatchSpec, parseBulkBatchSpec, parseFineTuningSpec } from '../../../src/contract/spec-parsers.js';

test.each([
  [parseBatchSpec, { input: { uri: 'file:///a.jsonl', fileId: null }, endpoint: '/v1/responses', deadline: null }],
  [
    parseBulkBatchSpec,
    { input: { uri: 'file:///a.jsonl', prefix: null }, split: { requests: 5, bytes: null }, retry: null },
  ],
  [
    parseFineTuningSpec,
    { model: 'm', trainingFile: { uri: 'file:///a.jsonl', fileId: null }, suffix: null, poll: null },
  ],
])('null fields of a spec → absent', (parse, given) => {
  expect(parse(given).report).toBeUndefined();
});

test('null for a field that must be there → the fault of a missing one', () => {
  expect(parseBatchSpec({ input: { uri: 'file:///a.jsonl' }, endpoint: null }).report?.faults).toMatchObject([
    { field: 'endpoint' },
  ]);
});

test.each(['schema', 'extraBody', 'method', 'metadata'])('nulls within %s → kept', (name) => {
  expect(withoutNulls({ [name]: { default: null } })).toEqual({ [name]: { default: null } });
});

test('requests → kept as they are', () => {
  const spec = { input: { requests: [{ custom_id: 'a', body: { stop: null } }] } };
  expect(withoutNulls(spec)).toEqual(spec);
});

test.each([null, undefined, 'x', 5, [null]])('%j instead of a spec → left to the schema', (value) => {
  expect(withoutNulls(value)).toBe(value);
});
