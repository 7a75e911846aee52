/** One output and one errors file over all batches and rounds: each request exactly once. */
import { createGzip } from 'node:zlib';
import { Readable } from 'node:stream';
import type { LineCounts, TokenUsage } from '../jobs/batch.js';
import type { FileRef } from '../jobs/file-ref.js';
import { ResultIndex, type AnswerPolicy, type BulkResultFiles } from './result-index.js';
import { ResultLines } from './result-lines.js';
import type { BulkSource } from './split-requests.js';

export type { AnswerPolicy, BulkResultFiles } from './result-index.js';

/** Per million tokens, in any currency. */
export interface Price {
  readonly inputPerMillion: number;
  readonly outputPerMillion: number;
}

/** How a bulk stands after its rounds so far. */
export interface Survey {
  readonly requests: number;
  /** Requests that may be tried again. */
  readonly open: number;
  readonly isOpen: (customId: string) => boolean;
}

export async function surveyResults(
  sources: readonly BulkSource[],
  results: readonly BulkResultFiles[],
  policy: AnswerPolicy,
): Promise<Survey> {
  const index = await ResultIndex.read(sources, results, policy);
  const { answered, refused } = index.counts;
  return {
    requests: index.ids.size,
    open: index.ids.size - answered - refused,
    isOpen: (customId) => {
      const place = index.ids.find(customId);
      return place !== -1 && index.isOpen(place);
    },
  };
}

export interface MergeOptions {
  readonly order: 'input' | 'customId';
  readonly gzip: boolean;
  readonly prices: Readonly<Record<string, Price>> | null;
  readonly writeOutput: (content: AsyncIterable<Uint8Array>) => Promise<FileRef>;
  readonly writeErrors: (content: AsyncIterable<Uint8Array>) => Promise<FileRef>;
}

export interface Merged {
  readonly requests: number;
  /** The four sum to `requests`. */
  readonly lines: LineCounts;
  readonly output: FileRef | null;
  readonly errors: FileRef | null;
  readonly usage: Record<string, TokenUsage>;
  readonly cost: { readonly total: number; readonly byModel: Record<string, number> } | null;
}

export async function mergeResults(
  sources: readonly BulkSource[],
  results: readonly BulkResultFiles[],
  policy: AnswerPolicy,
  options: MergeOptions,
): Promise<Merged> {
  const index = await ResultIndex.read(sources, results, policy);
  const order = orderOf(index, options.order);
  await using lines = new ResultLines(index);
  const { answered, failed, rejected, refused, unfinished, missing } = index.counts;
  const write = async (
    count: number,
    content: AsyncIterable<Uint8Array>,
    writer: (content: AsyncIterable<Uint8Array>) => Promise<FileRef>,
  ): Promise<FileRef | null> => {
    if (count === 0) return null;
    if (!options.gzip) return writer(content);
    // What is counted are lines of results, not of compressed bytes.
    return { ...(await writer(Readable.from(content).pipe(createGzip()))), lines: count };
  };
  const output = await write(answered, lines.answers(order), options.writeOutput);
  const errors = await write(index.ids.size - answered, lines.others(order), options.writeErrors);
  return {
    requests: index.ids.size,
    lines: { succeeded: answered, failed: failed + rejected + refused, unfinished, missing },
    output,
    errors,
    usage: index.usageByModel,
    cost: costOf(index.usageByModel, options.prices),
  };
}

/** Places of the input in the order asked for. */
function orderOf({ ids }: ResultIndex, order: 'input' | 'customId'): Uint32Array {
  const places = Uint32Array.from({ length: ids.size }, (_, place) => place);
  if (order === 'input') return places;
  const names = Array.from(places, (place) => ids.at(place));
  return places.toSorted((a, b) => ((names[a] ?? '') < (names[b] ?? '') ? -1 : 1));
}

function costOf(usage: Record<string, TokenUsage>, prices: Readonly<Record<string, Price>> | null): Merged['cost'] {
  if (prices === null) return null;
  const byModel = Object.fromEntries(
    Object.entries(usage).flatMap(([model, { inputTokens, outputTokens }]) => {
      const price = prices[model];
      if (!price) return [];
      return [[model, (inputTokens * price.inputPerMillion + outputTokens * price.outputPerMillion) / 1e6] as const];
    }),
  );
  return { total: Object.values(byModel).reduce((sum, cost) => sum + cost, 0), byModel };
}
