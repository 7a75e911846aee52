/** What models cost. */
import { z } from 'zod';

const MILLION = 1_000_000;

const usd = z.number().nonnegative();
const priceFields = {
  /** Prompt tokens. */
  input: usd,
  /**
   * Prompt tokens that the provider had in its cache.
   * @default `input`
   */
  cachedInput: usd.optional(),
  /** Tokens of the answer, with those of its reasoning. Models without any, such as embeddings, cost 0. */
  output: usd,
  /**
   * Tokens that a fine-tuning job of the model is trained on.
   * @default no estimate of the costs of training
   */
  training: usd.optional(),
} as const;

export type PriceSchema = z.ZodObject<typeof priceFields, z.core.$strict>;
export const priceSchema: PriceSchema = z.strictObject(priceFields);

/**
 * Prices by model, in USD for a million tokens of a batch, which is usually half of the price of other requests. A name
 * that ends with `*` is for all models that begin so.
 */
export const priceTableSchema = z.record(
  z.string().regex(/^[^*]+\*?$|^\*$/, "must be the name of a model, with '*' only at its end"),
  priceSchema,
);

/** What a model costs, in USD for a million tokens of a batch. */
export type Price = z.output<typeof priceSchema>;
/** Prices by model. A name that ends with `*` is for all models that begin so. */
export type PriceTable = z.output<typeof priceTableSchema>;

/** The price of a model: by its name, or by the longest beginning of it; null where the table has none. */
export function priceOf(model: string, prices: PriceTable): Price | null {
  if (Object.hasOwn(prices, model)) return prices[model] ?? null;
  const beginnings = Object.keys(prices).filter((name) => name.endsWith('*') && model.startsWith(name.slice(0, -1)));
  const [longest] = beginnings.toSorted((a, b) => b.length - a.length);
  return longest === undefined ? null : (prices[longest] ?? null);
}

/** What tokens have cost, in USD. */
export function costOf(price: Price, { inputTokens, cachedTokens, outputTokens }: UsedTokens): number {
  const cached = Math.min(cachedTokens, inputTokens);
  const input = (inputTokens - cached) * price.input + cached * (price.cachedInput ?? price.input);
  return (input + outputTokens * price.output) / MILLION;
}

/** What of a usage is paid for. */
type UsedTokens = Readonly<Record<'inputTokens' | 'cachedTokens' | 'outputTokens', number>>;

/**
 * What requests may cost, in USD.
 *
 * @param inputTokens prompt tokens: from all of them in the provider's cache to none
 * @param outputTokens tokens of the answers: from none to so many; null where no limit is known
 */
export function costRange(
  price: Price,
  inputTokens: number,
  outputTokens: number | null,
): { readonly from: number; readonly to: number | null } {
  return {
    from: (inputTokens * Math.min(price.cachedInput ?? price.input, price.input)) / MILLION,
    to: outputTokens === null ? null : (inputTokens * price.input + outputTokens * price.output) / MILLION,
  };
}
