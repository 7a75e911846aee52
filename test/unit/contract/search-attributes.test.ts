import { expect, test } from 'vitest';
import { attributePairs, stateOfResult } from '../../../src/contract/search-attributes.js';

const lines = { failed: 0, unfinished: 0, missing: 0 };

test.each([
  [{ status: 'completed', lines }, 'completed'],
  [{ status: 'completed', lines: { ...lines, failed: 1 } }, 'completed_with_failures'],
  [{ status: 'completed', lines: { ...lines, missing: 1 } }, 'completed_with_failures'],
  [{ status: 'completed', lines: { ...lines, unfinished: 1 } }, 'completed_with_failures'],
  [{ status: 'expired', lines: { ...lines, unfinished: 1 } }, 'expired'],
  [{ status: 'cancelled', lines }, 'cancelled'],
  [{ status: 'succeeded' }, 'succeeded'],
])('the state of a run with the result %j', (result, expected) => {
  expect(stateOfResult(result)).toBe(expected);
});

test('values → typed pairs; those that are not known are left out, and long ones cut', () => {
  const pairs = attributePairs({ kind: 'batch', id: null, model: '😀'.repeat(300), provider: '' });
  expect(pairs.map(({ key, value }) => [key.name, key.type, Array.from(value).length])).toEqual([
    ['LlmJobKind', 'KEYWORD', 5],
    ['LlmJobModel', 'KEYWORD', 255],
  ]);
});
