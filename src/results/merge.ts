/** One output and one errors file over all parts and rounds of a bulk batch, with each request exactly once. */
import type { LineCounts, TokenUsage } from '../contract/batch.js';
import type { FileRef } from '../contract/file-ref.js';
import { WriteBackpressure } from '../jsonl/backpressure.js';
import { type Line, lineBlocks, type LineSource, RESULT_LINES } from '../jsonl/lines.js';
import { compressed } from '../storage/gzip.js';
import { BulkAccount, type PartResults } from './bulk-account.js';
import { LinesAside } from './lines-aside.js';
import { LocalFiles } from './local-files.js';
import { OrderedLines } from './ordered-lines.js';
import type { Outcome } from './request-outcomes.js';
import type { AnswerPolicy } from './result-reader.js';
import { type Cost, costOf, type Price, unpricedModels } from './usage.js';

/** The state of a bulk batch after the rounds so far. */
export interface Survey {
  readonly requests: number;
  /** Number of requests that are sent again. */
  readonly open: number;
  /** The same by outcome, without those of which there are none. */
  readonly openByOutcome: Readonly<Partial<Record<Outcome, number>>>;
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
  const counts = [...policy.sendAgain].map((outcome) => [outcome, outcomes.counts[outcome]] as const);
  return {
    requests: outcomes.ids.size,
    open: counts.reduce((sum, [, count]) => sum + count, 0),
    openByOutcome: Object.fromEntries(counts.filter(([, count]) => count > 0)),
    isOpen: (customId) => {
      const index = outcomes.ids.find(customId);
      return index !== -1 && policy.sendAgain.has(outcomes.outcomeOf(index));
    },
  };
}

export interface MergeOptions {
  readonly order: 'input' | 'customId';
  readonly gzip: boolean;
  readonly prices: Readonly<Record<string, Price>> | null;
  readonly writeOutput: (content: AsyncIterable<Uint8Array>) => Promise<FileRef>;
  readonly writeErrors: (content: AsyncIterable<Uint8Array>) => Promise<FileRef>;
  readonly writeUnreadable: (content: AsyncIterable<Uint8Array>) => Promise<FileRef>;
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
  /** The lines of all parts that are no result of a request, as they are; null if there are none. Never compressed. */
  readonly unreadable: FileRef | null;
  /** By model over all rounds, since a request that was answered twice was paid for twice. */
  readonly usage: Record<string, TokenUsage>;
  /** Of the models that have a price; null without prices. */
  readonly cost: Cost | null;
  /** Models that were paid for and have no price; none without prices. */
  readonly unpriced: readonly string[];
}

/** Bytes of lines without a request that may wait for storage before the reading stops. */
const MAX_WAITING_BYTES = 1024 * 1024;

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
  const { account, unreadable } = await accountOf(sources, results, policy, files, options);
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
    unreadable,
    usage: usageByModel,
    cost: options.prices && costOf(usageByModel, options.prices),
    unpriced: options.prices ? unpricedModels(usageByModel, options.prices) : [],
  };
}

/** Accounts for all lines, and writes those without a request to a file of their own. */
async function accountOf(
  sources: readonly LineSource[],
  results: readonly PartResults[],
  policy: AnswerPolicy,
  files: LocalFiles,
  { writeUnreadable }: MergeOptions,
) {
  const backpressure = new WriteBackpressure(MAX_WAITING_BYTES);
  const aside = new LinesAside(writeUnreadable, backpressure);
  const setAside = async (lines: readonly Line[]) => {
    for (const line of lines) aside.add(line);
    aside.endBlock();
    if (backpressure.isPressing) await backpressure.settled();
  };
  try {
    const account = await BulkAccount.read(sources, results, policy, { open: (file) => files.read(file), setAside });
    const options = { ...RESULT_LINES, onTooLong: (piece: Buffer) => aside.addPiece(piece) };
    for (const { unreadable } of results) {
      if (unreadable) for await (const lines of lineBlocks(unreadable.open(), options)) await setAside(lines);
    }
    return { account, unreadable: await aside.finish() };
  } catch (error) {
    await aside.abort(error);
    throw error;
  }
}

function* upTo(count: number): Generator<number> {
  for (let index = 0; index < count; index++) yield index;
}
