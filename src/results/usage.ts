/** Token counts of results, and what they cost. */
import type { TokenUsage } from '../contract/batch.js';
import { NO_USAGE } from '../contract/no-usage.js';
import { isObject } from '../jsonl/json-value.js';

/** Price of a model per million tokens, in any currency. */
export interface Price {
  readonly inputPerMillion: number;
  readonly outputPerMillion: number;
  /** @default the price of other input */
  readonly cachedInputPerMillion?: number | undefined;
  /** @default the price of other output */
  readonly reasoningPerMillion?: number | undefined;
}

export interface Cost {
  readonly total: number;
  readonly byModel: Record<string, number>;
}

/** A sum of token counts that `addUsage` changes. */
export type UsageSum = { -readonly [Key in keyof TokenUsage]: TokenUsage[Key] };

export function noUsage(): UsageSum {
  return { ...NO_USAGE };
}

export function addUsage(sum: UsageSum, usage: TokenUsage): void {
  sum.inputTokens += usage.inputTokens;
  sum.outputTokens += usage.outputTokens;
  sum.totalTokens += usage.totalTokens;
  sum.cachedTokens += usage.cachedTokens;
  sum.reasoningTokens += usage.reasoningTokens;
}

/** Where a usage has its counts: the names of chat completions and embeddings, then those of responses. */
export const USAGE_PATHS = [
  ['total_tokens'],
  ['prompt_tokens'],
  ['completion_tokens'],
  ['prompt_tokens_details', 'cached_tokens'],
  ['completion_tokens_details', 'reasoning_tokens'],
  ['input_tokens'],
  ['output_tokens'],
  ['input_tokens_details', 'cached_tokens'],
  ['output_tokens_details', 'reasoning_tokens'],
] as const;

/**
 * The usage of a line from the values at `USAGE_PATHS`, the first of which has the index `from`. Where both dialects
 * stand, the larger counts. What only the total contains is output: some servers count the tokens of hidden thinking
 * nowhere else.
 */
export function usageOf(values: readonly unknown[], from: number): TokenUsage {
  const larger = (one: number, other: number) => Math.max(countIn(values[from + one]), countIn(values[from + other]));
  const input = larger(1, 5);
  const output = larger(2, 6);
  const totalTokens = Math.max(countIn(values[from]), input + output);
  const hidden = totalTokens - input - output;
  return {
    inputTokens: input,
    outputTokens: output + hidden,
    totalTokens,
    cachedTokens: Math.min(larger(3, 7), input),
    reasoningTokens: Math.min(Math.max(larger(4, 8), hidden), output + hidden),
  };
}

/** The usage in the body of a response. */
export function usageInBody(body: unknown): TokenUsage {
  const usage: unknown = isObject(body) ? body.usage : null;
  if (!isObject(usage)) return NO_USAGE;
  return usageOf(
    USAGE_PATHS.map((path) => path.reduce<unknown>(valueAt, usage)),
    0,
  );
}

/** The usage, with at least the tokens that the provider counts for the whole batch: some lines may not have come. */
export function withCountsOf(
  usage: TokenUsage,
  batch: { readonly input_tokens: number; readonly output_tokens: number; readonly total_tokens: number } | null,
): TokenUsage {
  if (batch === null) return usage;
  const inputTokens = Math.max(usage.inputTokens, batch.input_tokens);
  const both = inputTokens + Math.max(usage.outputTokens, batch.output_tokens);
  const totalTokens = Math.max(usage.totalTokens, batch.total_tokens, both);
  return { ...usage, inputTokens, outputTokens: totalTokens - inputTokens, totalTokens };
}

function valueAt(value: unknown, name: string): unknown {
  return isObject(value) ? value[name] : undefined;
}

/** A count; 0 for anything that cannot be one. */
function countIn(value: unknown): number {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER ? value : 0;
}

/** The cost of all models that have a price. */
export function costOf(
  usageByModel: Readonly<Record<string, TokenUsage>>,
  prices: Readonly<Record<string, Price>>,
): Cost {
  const byModel: Record<string, number> = {};
  let total = 0;
  for (const [model, usage] of Object.entries(usageByModel)) {
    if (!Object.hasOwn(prices, model)) continue;
    const cost = priced(usage, prices[model]!);
    byModel[model] = cost;
    total += cost;
  }
  return { total, byModel };
}

function priced({ inputTokens, outputTokens, cachedTokens, reasoningTokens }: TokenUsage, price: Price): number {
  const { inputPerMillion, outputPerMillion } = price;
  const { cachedInputPerMillion = inputPerMillion, reasoningPerMillion = outputPerMillion } = price;
  const input = (inputTokens - cachedTokens) * inputPerMillion + cachedTokens * cachedInputPerMillion;
  const output = (outputTokens - reasoningTokens) * outputPerMillion + reasoningTokens * reasoningPerMillion;
  return (input + output) / 1e6;
}

/** The models that were paid for and have no price. */
export function unpricedModels(
  usageByModel: Readonly<Record<string, TokenUsage>>,
  prices: Readonly<Record<string, Price>>,
): string[] {
  return Object.entries(usageByModel)
    .filter(([model, { totalTokens }]) => totalTokens > 0 && !Object.hasOwn(prices, model))
    .map(([model]) => model);
}
