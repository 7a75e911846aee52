import { describe, expect, test } from 'vitest';
import { costOf, costRange, priceOf } from '../../../src/config/prices.js';

const prices = {
  'gpt-5': { input: 1, output: 8 },
  'gpt-5*': { input: 2, output: 8 },
  'gpt-5-mini*': { input: 3, output: 8 },
};

describe('priceOf', () => {
  test.each([
    ['gpt-5', 1],
    ['gpt-5-2026', 2],
    ['gpt-5-mini-2026', 3],
    ['gpt-4', undefined],
    ['toString', undefined],
  ])('%s → %s', (model, input) => {
    expect(priceOf(model, prices)?.input).toBe(input);
  });
});

describe('costRange', () => {
  const price = { input: 2, cachedInput: 0.5, output: 10 };

  test('a limit of the answers → from all cached and no answer to none cached and the longest answers', () => {
    expect(costRange(price, 2_000_000, 100_000)).toEqual({ from: 1, to: 5 });
  });

  test('no limit → no upper bound', () => {
    expect(costRange({ input: 2, output: 0 }, 1_000_000, null)).toEqual({ from: 2, to: null });
  });
});

test('costOf: tokens from the cache → at their own price, else at that of other input', () => {
  const usage = { inputTokens: 3_000_000, cachedTokens: 1_000_000, outputTokens: 500_000 };
  expect(costOf({ input: 2, cachedInput: 0.5, output: 8 }, usage)).toBe(8.5);
  expect(costOf({ input: 2, output: 8 }, usage)).toBe(10);
});
