import { expect, test } from 'vitest';
import { batchSpecSchema } from '../../../src/contract/batch.js';
import { didYouMean } from '../../../src/contract/did-you-mean.js';

const FIELDS = Object.keys(batchSpecSchema.shape);

test.each([
  ['completion_window', 'completionWindow'],
  ['COMPLETIONWINDOW', 'completionWindow'],
  ['endpont', 'endpoint'],
  ['endpiont', 'endpoint'],
  ['end-points', 'endpoint'],
  ['vanishAfter', 'vanishedAfter'],
  ['ouptutUri', 'outputUri'],
  ['metdata', 'metadata'],
  ['inptu', 'input'],
])('did you mean: %s → %s', (name, meant) => {
  expect(didYouMean(name, FIELDS)).toBe(meant);
});

test.each(['', 'x', 'model', 'temperature', 'requests', 'end'.repeat(1_000)])(
  'did you mean: %j, which is no slip of any field → none',
  (name) => {
    expect(didYouMean(name, FIELDS)).toBeUndefined();
  },
);

test('did you mean: no known names → none', () => {
  expect(didYouMean('endpoint', [])).toBeUndefined();
});
