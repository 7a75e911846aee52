/** One output and one errors file over all parts and rounds of a bulk batch, with each request exactly once. */
import type { LineCounts, TokenUsage } from '../contract/batch.js';
import type { FileRef } from '../contract/file-ref.js';
import type { LineSource } from '../jsonl/lines.js';
import { compressed } from '../storage/gzip.js';
import { BulkAccount, type PartResults } from './bulk-account.js';
import { LocalFiles } from './local-files.js';
import { OrderedLines } from './ordered-lines.js';
import type { AnswerPolicy } from './result-reader.js';
import { type Cost, costOf, type Price } from './usage.js';

/** The state of a bulk batch after the rounds so far. */
export interface Survey {
  readonly requests: number;
  /** Requests that may be sent again. */
  readonly open: number;
  readonly isOpen: (customId: string) => boolean;
}

/**
 * Finds the requests for a further round. Reads each file once.
 *
 * @param results in any order; files with `file:` URIs are read by position too, others are copied to a temporary
 * folder by `mergeResults`
 */
export async function surveyResults(
  sources: readonly LineSource[],
  results: readonly PartResults[],
  policy: AnswerPolicy,
): Promise<Survey> {
  const { outcomes } = await BulkAccount.read(sources, results, policy);
  return {
    requests: outcomes.ids.size,
    open: outcomes.openCount,
    isOpen: (customId) => {
      const index = outcomes.ids.find(customId);
      return index !== -1 && outcomes.isOpen(index);
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
  /** The succeeded lines as the provider wrote them; null if there is none. */
  readonly output: FileRef | null;
  /**
   * A line for every other request, with its `round` and `outcome` as first fields: the last one of the provider, or a
   * synthetic one. Null if all succeeded.
   */
  readonly errors: FileRef | null;
  /** By model over all rounds, since a request that was answered twice was paid for twice. */
  readonly usage: Record<string, TokenUsage>;
  /** Of the models that have a price; null without prices. */
  readonly cost: Cost | null;
}

/**
 * Reads each file once to account for its lines, and the lines that count once more to write them in the requested
 * order.
 */
export async function mergeResults(
  sources: readonly LineSource[],
  results: readonly PartResults[],
  policy: AnswerPolicy,
  options: MergeOptions,
): Promise<Merged> {
  await using files = new LocalFiles();
  const account = await BulkAccount.read(sources, results, policy, (file) => files.read(file));
  const { outcomes, usageByModel } = account;
  const requests = outcomes.ids.size;
  const sorted = options.order === 'customId' ? outcomes.ids.sorted() : null;
  const ordered = () => sorted ?? upTo(requests);
  const lines = new OrderedLines(account, files);
  const write = async (writer: MergeOptions['writeOutput'], content: AsyncIterable<Uint8Array>, count: number) => {
    if (count === 0) return null;
    if (!options.gzip) return writer(content);
    // The number of result lines, not of line breaks in the compressed bytes.
    return { ...(await writer(compressed(content))), lines: count };
  };
  const { succeeded } = outcomes.counts;
  return {
    requests,
    lines: outcomes.lineCounts(),
    output: await write(options.writeOutput, lines.succeeded(ordered()), succeeded),
    errors: await write(options.writeErrors, lines.unsuccessful(ordered()), requests - succeeded),
    usage: usageByModel,
    cost: options.prices && costOf(usageByModel, options.prices),
  };
}

function* upTo(count: number): Generator<number> {
  for (let index = 0; index < count; index++) yield index;
}
