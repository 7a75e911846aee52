import { expect, test } from 'vitest';
import { bar, expectedEnd } from '../../../../src/workflows/details/markdown.js';

test.each([
  [0, 10, '░░░░░░░░░░ 0 / 10'],
  [812, 1_000, '████████░░ 812 / 1,000'],
  [999, 1_000, '█████████░ 999 / 1,000'],
  [10, 10, '██████████ 10 / 10'],
  // Counts of providers need not add up.
  [12, 10, '██████████ 12 / 10'],
  [-1, 10, '░░░░░░░░░░ -1 / 10'],
  [0, 0, '░░░░░░░░░░ 0 / 0'],
])('bar: %i of %i', (done, total, expected) => {
  expect(bar(done, total)).toBe(expected);
});

test('expected end: a quarter in 100 s → 400 s in all; nothing done, all done or no start → unknown', () => {
  expect(expectedEnd(5, 20, 1_000, 1_100)).toBe(1_400);
  expect(expectedEnd(0, 20, 1_000, 1_100)).toBeNull();
  expect(expectedEnd(20, 20, 1_000, 1_100)).toBeNull();
  expect(expectedEnd(5, 20, null, 1_100)).toBeNull();
  expect(expectedEnd(5, 20, 1_100, 1_100)).toBeNull();
});
