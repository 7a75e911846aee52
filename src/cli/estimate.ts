/** What the requests of a file will take: tokens of prompts by a sample, tokens of answers by their limits. */
import { isObject } from '../jsonl/json-value.js';
import { lineBlocks } from '../jsonl/lines.js';
import { parseLine } from '../jsonl/parse-line.js';
import { promptTokens, tokenCounter } from './count-tokens.js';
import { costRange, priceOf, type PriceTable } from '../config/prices.js';

export interface ModelEstimate {
  readonly model: string;
  readonly requests: number;
  readonly prompts: {
    /** Null where no tokenizer is installed. */
    readonly tokens: number | null;
    /** Requests whose tokens were counted; those of the others are taken to be as many on average. */
    readonly counted: number;
  };
  readonly answers: {
    /** The sum of the requests' own limits, such as `max_tokens`. */
    readonly maxTokens: number;
    /** Requests without a limit. */
    readonly unlimited: number;
  };
  /** In USD; `to` is null where a request has no limit. Null without a price or a tokenizer. */
  readonly cost: { readonly from: number; readonly to: number | null } | null;
}

const MAX_SAMPLED = 1_000;
/** Where a request leaves the choice to the provider. */
const DEFAULT_MODEL = 'default';

/** Reads a file once, in memory that is bounded by the sample. Lines that are no requests are passed over. */
export async function estimate(source: AsyncIterable<Uint8Array>, prices: PriceTable): Promise<ModelEstimate[]> {
  const models = new Map<string, ModelTally>();
  for await (const lines of lineBlocks(source)) {
    for (const line of lines) {
      const { object } = parseLine(line);
      const body = object?.body;
      if (!isObject(body)) continue;
      const model = typeof body.model === 'string' ? body.model : DEFAULT_MODEL;
      const tally = models.get(model) ?? new ModelTally(model);
      models.set(model, tally);
      tally.add(body, WITHOUT_TEXT.test(String(object?.url)) ? 0 : limitOf(body));
    }
  }
  return Promise.all([...models.values()].map((tally) => tally.estimate(prices)));
}

/** Every n-th request of a model is its sample; n doubles whenever the sample is full. */
class ModelTally {
  readonly #model: string;
  #sample: Record<string, unknown>[] = [];
  #step = 1;
  #requests = 0;
  #maxTokens = 0;
  #unlimited = 0;

  constructor(model: string) {
    this.#model = model;
  }

  /** @param limit tokens that the answer may have; null if the request names no limit */
  add(body: Record<string, unknown>, limit: number | null): void {
    if (this.#requests % this.#step === 0) this.#sample.push(body);
    if (this.#sample.length > MAX_SAMPLED) {
      this.#sample = this.#sample.filter((_, index) => index % 2 === 0);
      this.#step *= 2;
    }
    this.#requests += 1;
    if (limit === null) this.#unlimited += 1;
    else this.#maxTokens += limit;
  }

  async estimate(prices: PriceTable): Promise<ModelEstimate> {
    const model = this.#model;
    const count = await tokenCounter(model);
    const sampled = count && this.#sample.reduce((sum, body) => sum + promptTokens(body, count), 0);
    const tokens = sampled === null ? null : Math.round((sampled / this.#sample.length) * this.#requests);
    const price = priceOf(model, prices);
    const limit = this.#unlimited > 0 ? null : this.#maxTokens;
    return {
      model,
      requests: this.#requests,
      prompts: { tokens, counted: count === null ? 0 : this.#sample.length },
      answers: { maxTokens: this.#maxTokens, unlimited: this.#unlimited },
      cost: price === null || tokens === null ? null : costRange(price, tokens, limit),
    };
  }
}

/** Endpoints whose answers have no tokens that are paid for. */
const WITHOUT_TEXT = /\/(embeddings|moderations|images\/\w+)$/;
const LIMITS = ['max_completion_tokens', 'max_output_tokens', 'max_tokens'];

function limitOf(body: Record<string, unknown>): number | null {
  const limit = LIMITS.map((name) => body[name]).find((value) => typeof value === 'number');
  const choices = typeof body.n === 'number' ? body.n : 1;
  return typeof limit === 'number' ? limit * choices : null;
}
