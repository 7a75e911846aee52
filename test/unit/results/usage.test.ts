import { describe, expect, test } from 'vitest';
import { NO_USAGE } from '../../../src/contract/no-usage.js';
import { costOf, unpricedModels, usageInBody, withCountsOf } from '../../../src/results/usage.js';

const usage = (input: number, output: number, total: number, cached = 0, reasoning = 0) => ({
  inputTokens: input,
  outputTokens: output,
  totalTokens: total,
  cachedTokens: cached,
  reasoningTokens: reasoning,
});

const counts = (input: number, output: number, total: number) => ({
  input_tokens: input,
  output_tokens: output,
  total_tokens: total,
});

describe('usage of a line', () => {
  test.each([
    ['chat', { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 }, usage(10, 5, 15)],
    ['responses', { input_tokens: 10, output_tokens: 5, total_tokens: 15 }, usage(10, 5, 15)],
    ['embeddings', { prompt_tokens: 10, total_tokens: 10 }, usage(10, 0, 10)],
    ['both, zeros in one', { prompt_tokens: 0, completion_tokens: 0, input_tokens: 26, output_tokens: 9 }, usage(26, 9, 35)],
    ['both, the larger of each', { prompt_tokens: 7, completion_tokens: 0, input_tokens: 3, output_tokens: 9 }, usage(7, 9, 16)],
    ['thinking only in the total', { prompt_tokens: 10, completion_tokens: 5, total_tokens: 1_015 }, usage(10, 1_005, 1_015, 0, 1_000)],
    ['a total that is too small', { prompt_tokens: 10, completion_tokens: 5, total_tokens: 3 }, usage(10, 5, 15)],
    ['only a total', { total_tokens: 15 }, usage(0, 15, 15, 0, 15)],
    [
      'cached and reasoning',
      { prompt_tokens: 10, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 8 }, completion_tokens_details: { reasoning_tokens: 4 } },
      usage(10, 5, 15, 8, 4),
    ],
    [
      'cached and reasoning of a response',
      { input_tokens: 10, output_tokens: 5, input_tokens_details: { cached_tokens: 8 }, output_tokens_details: { reasoning_tokens: 4 } },
      usage(10, 5, 15, 8, 4),
    ],
    ['more cached than there is input', { prompt_tokens: 10, prompt_tokens_details: { cached_tokens: 80 } }, usage(10, 0, 10, 10)],
    ['nonsense', { prompt_tokens: '10', completion_tokens: -5, total_tokens: 1e300, prompt_tokens_details: [] }, usage(0, 0, 0)],
    ['null', null, NO_USAGE],
    ['a list', [], NO_USAGE],
  ])('%s → counted', (_, given, counted) => {
    expect(usageInBody({ usage: given })).toEqual(counted);
  }); // prettier-ignore

  test('a batch that counts more than its lines → what the batch counts', () => {
    const lines = usage(10, 5, 15, 2, 3);
    expect(withCountsOf(lines, null)).toEqual(lines);
    expect(withCountsOf(lines, counts(0, 0, 0))).toEqual(lines);
    expect(withCountsOf(lines, counts(30, 15, 45))).toEqual(usage(30, 15, 45, 2, 3));
  });
});

describe('cost', () => {
  const of = { m: usage(1_000_000, 1_000_000, 2_000_000, 400_000, 500_000), n: usage(0, 10, 10), o: NO_USAGE };

  test('prices of input and output alone → they count for all tokens', () => {
    expect(costOf(of, { m: { inputPerMillion: 1, outputPerMillion: 4 } })).toEqual({ total: 5, byModel: { m: 5 } });
  });

  test('prices of cached and reasoning tokens → these count for theirs', () => {
    const price = { inputPerMillion: 1, outputPerMillion: 4, cachedInputPerMillion: 0.5, reasoningPerMillion: 2 };
    const cost = 0.6 + 0.2 + 2 + 1;
    expect(costOf(of, { m: price }).total).toBeCloseTo(cost, 10);
  });

  test('models without a price → named if they were paid for', () => {
    expect(unpricedModels(of, { m: { inputPerMillion: 1, outputPerMillion: 4 } })).toEqual(['n']);
  });
});
