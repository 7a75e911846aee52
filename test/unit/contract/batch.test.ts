import { describe, expect, test } from 'vitest';
import { batchSpecSchema } from '../../../src/contract/batch.js';
import { parseSpec } from '../../../src/contract/parse-spec.js';

const SPEC = { input: { fileId: 'file-1' }, endpoint: '/v1/chat/completions' };
const REQUEST = { custom_id: 'a', method: 'POST', url: '/v1/chat/completions', body: { model: 'm' } };
const DURATION = "must be a duration with a unit, such as '90s', '5m' or '24h', of at most ten years";
const INPUT =
  'must be one of { fileId }, { uri } with a file:// or s3:// URI, or { requests } with at least one request';

const faultsOf = (spec: unknown) => parseSpec(batchSpecSchema, spec).report?.faults;

test('batch spec: input and endpoint alone → the defaults', () => {
  expect(parseSpec(batchSpecSchema, SPEC).spec).toEqual({
    input: { fileId: 'file-1' },
    endpoint: '/v1/chat/completions',
    completionWindow: '24h',
    provider: 'default',
    vanishedAfter: '15m',
    stuckAfter: '2h',
    settleFor: '15m',
    giveUpAfter: '7d',
    check: true,
    onAmbiguousCreate: 'fail',
  });
});

test('batch spec: every field given → all of them kept', () => {
  const spec = {
    input: { uri: 's3://bucket/requests.jsonl' },
    endpoint: '/v1/embeddings',
    completionWindow: '14d',
    metadata: { team: 'search' },
    outputUri: 'file:///results/',
    deadline: '6h',
    provider: 'azure',
    poll: { min: '1s', max: '60s' },
    vanishedAfter: '1h',
    settleFor: '5m',
    giveUpAfter: '3d',
    extraBody: { priority: 'low' },
    check: false,
    onAmbiguousCreate: 'createAgain',
    outputExpiresAfter: '7d',
    stuckAfter: 0,
    cleanup: { input: true, output: true },
  };
  expect(parseSpec(batchSpecSchema, spec).spec).toEqual(spec);
});

test('batch spec: cleanup with one of its two → the other is false', () => {
  expect(parseSpec(batchSpecSchema, { ...SPEC, cleanup: { output: true } }).spec?.cleanup).toEqual({
    input: false,
    output: true,
  });
});

test('batch spec: a request without method, and with fields of its own → POST, and the fields kept', () => {
  const { method: _, ...request } = REQUEST;
  const { spec } = parseSpec(batchSpecSchema, { ...SPEC, input: { requests: [{ ...request, note: 'x' }] } });
  expect(spec?.input).toEqual({ requests: [{ ...REQUEST, note: 'x' }] });
});

test('batch spec: a file id with spaces around it → trimmed', () => {
  expect(parseSpec(batchSpecSchema, { ...SPEC, input: { fileId: ' file-1\n' } }).spec?.input).toEqual({
    fileId: 'file-1',
  });
});

describe('batch spec: one wrong field → one fault that names the field and its limit', () => {
  test.each<[field: string | undefined, wrong: Record<string, unknown>, message: string]>([
    ['input', { input: undefined }, INPUT],
    ['input', { input: {} }, INPUT],
    ['input', { input: 'file-1' }, INPUT],
    ['input', { input: { fileId: 'file-1', uri: 'file:///x' } }, INPUT],
    ['input', { input: { requests: [REQUEST], fileId: 'file-1' } }, INPUT],
    ['input.model', { input: { requests: [REQUEST], model: 'm' } }, 'is not one of the fields requests'],
    ['input.fileId', { input: { fileId: ' ' } }, 'must not be empty'],
    ['input.fileId', { input: { fileId: 'f'.repeat(513) } }, 'must have at most 512 characters'],
    ['input.fileId', { input: { fileId: 7 } }, 'expected string'],
    ['input.uri', { input: { uri: 'https://example.com/x' } }, 'must be a file:// or s3:// URI'],
    ['input.uri', { input: { uri: `file:///${'x'.repeat(4_096)}` } }, 'must have at most 4096 characters'],
    ['input.requests', { input: { requests: [] } }, '>=1'],
    ['input.requests[1].custom_id', { input: { requests: [REQUEST, { ...REQUEST, custom_id: 5 }] } }, 'string'],
    ['input.requests[0].custom_id', { input: { requests: [{ ...REQUEST, custom_id: '' }] } }, '>=1'],
    ['input.requests[0].method', { input: { requests: [{ ...REQUEST, method: 'GET' }] } }, '"POST"'],
    ['input.requests[0].body', { input: { requests: [{ ...REQUEST, body: [] }] } }, 'expected record'],
    ['endpoint', { endpoint: undefined }, 'expected string'],
    ['endpoint', { endpoint: 'v1/chat/completions' }, 'must be a path such as /v1/chat/completions'],
    ['endpoint', { endpoint: '/v1/chat/completions?x=1' }, 'must be a path such as /v1/chat/completions'],
    ['endpoint', { endpoint: '/v1/chat completions' }, 'must be a path such as /v1/chat/completions'],
    ['completionWindow', { completionWindow: '' }, '>=1 characters'],
    ['completionWindow', { completionWindow: 'x'.repeat(41) }, '<=40 characters'],
    ['completionWindow', { completionWindow: 24 }, 'expected string'],
    ['outputUri', { outputUri: '/results' }, 'must be a file:// or s3:// URI'],
    ['provider', { provider: '' }, '>=1 characters'],
    ['provider', { provider: 'p'.repeat(101) }, '<=100 characters'],
    ['poll.min', { poll: { min: -1 } }, DURATION],
    ['poll.max', { poll: { max: 'often' } }, DURATION],
    ['poll.every', { poll: { every: '5s' } }, 'is not one of the fields min, max'],
    ['vanishedAfter', { vanishedAfter: 'soon' }, DURATION],
    ['stuckAfter', { stuckAfter: null }, DURATION],
    ['extraBody', { extraBody: { metadata: {} } }, 'the library sets these fields'],
    ['onAmbiguousCreate', { onAmbiguousCreate: 'buyTwo' }, '"fail"|"createAgain"'],
    ['outputExpiresAfter', { outputExpiresAfter: '59m' }, 'must be between 1 hour and 30 days'],
    ['outputExpiresAfter', { outputExpiresAfter: '721h' }, 'must be between 1 hour and 30 days'],
    ['outputExpiresAfter', { outputExpiresAfter: 86_400 }, DURATION],
    ['outputExpiresAfter', { outputExpiresAfter: 'a week' }, DURATION],
    ['cleanup.inputs', { cleanup: { inputs: true } }, 'did you mean "input"?'],
    ['cleanup.input', { cleanup: { input: 'yes' } }, 'expected boolean'],
    ['completion_window', { completion_window: '24h' }, 'is not a field: did you mean "completionWindow"?'],
    ['vanishdeAftr', { vanishdeAftr: '1h' }, 'did you mean "vanishedAfter"?'],
  ])('%s: %j', (field, wrong, message) => {
    expect(faultsOf({ ...SPEC, ...wrong })).toEqual([
      { ...(field !== undefined && { field }), message: expect.stringContaining(message) },
    ]);
  });
});

test.each([[null], [undefined], ['x'], [5], [[]]])('batch spec: %j instead of an object → refused', (spec) => {
  expect(faultsOf(spec)).toEqual([{ message: expect.stringContaining('expected object') }]);
});

test('batch spec: output expiry at either end of its range → accepted', () => {
  for (const outputExpiresAfter of ['1h', '30d', '60m', '720 hours']) {
    expect(faultsOf({ ...SPEC, outputExpiresAfter })).toBeUndefined();
  }
});

test('batch spec: several wrong fields → all of them at once', () => {
  const faults = faultsOf({ ...SPEC, endpoint: 'x', deadline: 'x', surprise: 1 });
  expect(faults?.map(({ field }) => field)).toEqual(['surprise', 'endpoint', 'deadline']);
});
