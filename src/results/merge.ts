/** One output and one errors file over all batches and rounds: each request exactly once. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { LineCounts, TokenUsage } from '../contract/batch.js';
import type { FileRef } from '../contract/file-ref.js';
import { LocalFiles } from './local-files.js';
import { ResultIndex } from './result-index.js';
import { ResultLines } from './ordered-lines.js';
import type { BulkSource } from '../requests/split.js';

/** The collected results of one batch: what `runBatch` wrote. */
export interface BulkResultFiles {
  /** From 1. */
  readonly round: number;
  readonly part: number;
  /** By this name its usage is summed and priced, whatever version of the model the answers tell of. */
  readonly model: string;
  readonly output: ResultFile | null;
  readonly errors: ResultFile | null;
  /** Where its run failed: why, and what it was to answer. */
  readonly failure?: PartFailure | null;
}

export interface PartFailure {
  readonly type: string;
  readonly message: string;
  /** Nobody knows whether its requests are or will be answered, or they never would be: they are not sent again. */
  readonly isFinal: boolean;
  readonly requests: ResultFile;
}

export interface ResultFile {
  /** One with `file:` is read by position too; any other is copied to a temporary folder while it is read. */
  readonly uri: string;
  readonly open: () => AsyncIterable<Uint8Array>;
}

/** Which answers are final. Requests without one are always tried again. */
export interface AnswerPolicy {
  /** 408, 409, 429, 5xx and `status_code` 0; all other errors are final. */
  readonly failed: 'final' | 'retry';
  /** Answers cut by their length: `finish_reason` `length`, `status` `incomplete`. */
  readonly truncated: 'final' | 'retry';
  /** Whether a body fits, such as a JSON schema; one that does not is tried again. Default: all do. */
  readonly accepts?: (body: unknown) => boolean;
}

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

/** Tells which requests go into a further round. Reads each file once; memory: some 40 bytes and the id itself for each request. */
export async function surveyResults(
  sources: readonly BulkSource[],
  results: readonly BulkResultFiles[],
  policy: AnswerPolicy,
): Promise<Survey> {
  const index = await ResultIndex.read(sources, results, policy);
  const { answered, refused, stranded } = index.counts;
  return {
    requests: index.ids.size,
    open: index.ids.size - answered - refused - stranded,
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
  /** The answers as the provider wrote them; null when there is none. */
  readonly output: FileRef | null;
  /**
   * What has no answer that counts, each with the line of its last round as the provider wrote it, `round` and `fate` put in before;
   * null when all have one.
   */
  readonly errors: FileRef | null;
  /** Over all rounds: what was answered twice was paid twice. */
  readonly usage: Record<string, TokenUsage>;
  /** Of the models that have a price. */
  readonly cost: { readonly total: number; readonly byModel: Record<string, number> } | null;
}

/** Reads each file once to see what counts, and the lines that do once more, in the order asked for, to write them. */
export async function mergeResults(
  sources: readonly BulkSource[],
  results: readonly BulkResultFiles[],
  policy: AnswerPolicy,
  options: MergeOptions,
): Promise<Merged> {
  await using files = new LocalFiles();
  const index = await ResultIndex.read(sources, results, policy, (file) => files.read(file));
  const places = options.order === 'input' ? null : index.ids.sorted();
  const inOrder = () => places ?? upTo(index.ids.size);
  const lines = new ResultLines(index, files);
  const { answered, failed, rejected, refused, unfinished, stranded, missing } = index.counts;
  const others = index.ids.size - answered;
  const write = async (writer: MergeOptions['writeOutput'], content: AsyncIterable<Uint8Array>, count: number) => {
    if (!options.gzip) return writer(content);
    // What is counted are lines of results, not of compressed bytes.
    return { ...(await writer(compressed(content))), lines: count };
  };
  const output = answered > 0 ? await write(options.writeOutput, lines.answers(inOrder()), answered) : null;
  const errors = others > 0 ? await write(options.writeErrors, lines.others(inOrder()), others) : null;
  return {
    requests: index.ids.size,
    lines: { succeeded: answered, failed: failed + rejected + refused, unfinished: unfinished + stranded, missing },
    output,
    errors,
    usage: index.usageByModel,
    cost: costOf(index.usageByModel, options.prices),
  };
}

function* upTo(count: number): Generator<number> {
  for (let place = 0; place < count; place++) yield place;
}

async function* compressed(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gzip = createGzip({ chunkSize: 256 * 1024 });
  // Its errors come out of `gzip`, where they are awaited.
  const piping = pipeline(Readable.from(content, { highWaterMark: 1 }), gzip).catch(() => undefined);
  try {
    yield* gzip as AsyncIterable<Uint8Array>;
  } finally {
    gzip.destroy();
    await piping;
  }
}

function costOf(usage: Record<string, TokenUsage>, prices: Readonly<Record<string, Price>> | null): Merged['cost'] {
  if (prices === null) return null;
  const byModel = Object.fromEntries(
    Object.entries(usage).flatMap(([model, { inputTokens, outputTokens }]) => {
      if (!Object.hasOwn(prices, model)) return [];
      const { inputPerMillion, outputPerMillion } = prices[model]!;
      return [[model, (inputTokens * inputPerMillion + outputTokens * outputPerMillion) / 1e6] as const];
    }),
  );
  return { total: Object.values(byModel).reduce((sum, cost) => sum + cost, 0), byModel };
}
