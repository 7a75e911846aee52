/** Token counts of results, and what they cost. */
import type { TokenUsage } from '../contract/batch.js';

/** Price of a model per million tokens, in any currency. */
export interface Price {
  readonly inputPerMillion: number;
  readonly outputPerMillion: number;
}

export interface Cost {
  readonly total: number;
  readonly byModel: Record<string, number>;
}

/** A sum of token counts that `addUsage` changes. */
export type UsageSum = { -readonly [Key in keyof TokenUsage]: TokenUsage[Key] };

export function noUsage(): UsageSum {
  return { inputTokens: 0, outputTokens: 0, totalTokens: 0 };
}

export function addUsage(sum: UsageSum, { inputTokens, outputTokens, totalTokens }: TokenUsage): void {
  sum.inputTokens += inputTokens;
  sum.outputTokens += outputTokens;
  sum.totalTokens += totalTokens;
}

/** The cost of all models that have a price. */
export function costOf(
  usageByModel: Readonly<Record<string, TokenUsage>>,
  prices: Readonly<Record<string, Price>>,
): Cost {
  const byModel: Record<string, number> = {};
  let total = 0;
  for (const [model, { inputTokens, outputTokens }] of Object.entries(usageByModel)) {
    if (!Object.hasOwn(prices, model)) continue;
    const { inputPerMillion, outputPerMillion } = prices[model]!;
    const cost = (inputTokens * inputPerMillion + outputTokens * outputPerMillion) / 1e6;
    byModel[model] = cost;
    total += cost;
  }
  return { total, byModel };
}
