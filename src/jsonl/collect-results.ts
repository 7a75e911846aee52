import { CustomIdReader } from './custom-id.js';
import { type Line, lineBlocks } from './lines.js';
import { type ResultFile, ResultsLedger, type ResultsSummary } from './results-ledger.js';

/** Opens a file from its start. It is called more than once, and the content must be the same each time. */
export type Reopenable = () => AsyncIterable<Uint8Array>;

export interface ResultSources {
  /** The batch's input; null where it cannot be read, and then the ids of the results are taken for the input's. */
  input: Reopenable | null;
  /** The provider's output file; null where there is none. */
  output: Reopenable | null;
  /** The provider's error file; null where there is none. */
  errors: Reopenable | null;
  /**
   * What a request without a result counts as: `missing`, or unfinished with this code, where the batch ended before its time and the
   * provider need not mention what it did not get to. Default `'missing'`.
   */
  absent?: 'missing' | 'batch_expired' | 'batch_cancelled';
}

/** The results of a batch, each id of the input exactly once in one of the two files. */
export interface CollectedResults {
  readonly summary: ResultsSummary;
  /** Content for `output.jsonl`: the succeeded lines as the provider wrote them; null when there is none. May be read repeatedly. */
  readonly output: AsyncIterable<Uint8Array> | null;
  /**
   * Content for `errors.jsonl`: the failed and unfinished lines as the provider wrote them, then a line of ours with `error.code:
   * "missing"` (or what {@link ResultSources.absent} says) for each request without a result; null when there is none. May be read
   * repeatedly.
   */
  readonly errors: AsyncIterable<Uint8Array> | null;
}

/**
 * Reads the input and both result files once to account for every line, and tells at once how the batch went. The content of the two
 * files is then picked out of the provider's by line number while it is written, without parsing again: whether a failed line counts
 * is known only when no later line of the same id succeeded, and so many failures need not be held. Memory: a few dozen bytes an id.
 */
export async function collectResults(sources: ResultSources): Promise<CollectedResults> {
  const ledger = new ResultsLedger();
  if (sources.input) {
    for await (const id of customIds(sources.input())) ledger.expect(id);
  }
  const sizes: Record<ResultFile, number> = { output: 0, errors: 0 };
  for (const file of ['output', 'errors'] as const) {
    const open = sources[file];
    if (!open) continue;
    const metered = meter(open());
    for await (const lines of lineBlocks(metered.source)) {
      for (const line of lines) ledger.record(line, file);
    }
    sizes[file] = metered.bytes();
  }

  const succeeded = { output: new LineSet(), errors: new LineSet() };
  const others = { output: new LineSet(), errors: new LineSet() };
  for (const { outcome, file, number } of ledger.countedLines()) {
    (outcome === 'succeeded' ? succeeded : others)[file].add(number);
  }
  const absent = sources.absent ?? 'missing';
  const summary = absent === 'missing' ? ledger.summary() : withoutMissing(ledger.summary());
  const { lines } = summary;
  return {
    summary,
    output: lines.succeeded === 0 ? null : { [Symbol.asyncIterator]: () => pickBoth(sources, sizes, succeeded) },
    errors:
      lines.succeeded === summary.total
        ? null
        : {
            [Symbol.asyncIterator]: async function* () {
              yield* pickBoth(sources, sizes, others);
              yield* absentLines(ledger, absent);
            },
          },
  };
}

/** The `custom_id` of each line of an input that has one. */
export async function* customIds(source: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const reader = new CustomIdReader();
  for await (const lines of lineBlocks(source)) {
    for (const line of lines) {
      const id = reader.read(line);
      if (id !== null) yield id;
    }
  }
}

async function* pickBoth(
  sources: ResultSources,
  sizes: Record<ResultFile, number>,
  chosen: Record<ResultFile, LineSet>,
): AsyncGenerator<Uint8Array> {
  for (const file of ['output', 'errors'] as const) {
    const open = sources[file];
    if (!open || chosen[file].size === 0) continue;
    const metered = meter(open());
    for await (const lines of lineBlocks(metered.source)) {
      const picked = lines.filter((line) => chosen[file].has(line.number));
      if (picked.length > 0) yield joined(picked);
    }
    // Line numbers mean nothing in another file.
    if (metered.bytes() !== sizes[file]) {
      throw new Error(
        `the provider's ${file} file had ${sizes[file]} bytes at first and ${metered.bytes()} when read again`,
      );
    }
  }
}

function withoutMissing(summary: ResultsSummary): ResultsSummary {
  const { unfinished, missing } = summary.lines;
  return {
    ...summary,
    lines: { ...summary.lines, unfinished: unfinished + missing, missing: 0 },
    examples: { ...summary.examples, missing: [] },
  };
}

const ABSENT = {
  missing: 'The request is in neither of the result files of the batch.',
  batch_expired: 'The batch expired before the request was answered.',
  batch_cancelled: 'The batch was cancelled before the request was answered.',
} as const;

async function* absentLines(ledger: ResultsLedger, code: keyof typeof ABSENT): AsyncGenerator<Uint8Array> {
  const error = { code, message: ABSENT[code] };
  let text = '';
  for (const customId of ledger.missingIds()) {
    text += `${JSON.stringify({ id: null, custom_id: customId, response: null, error })}\n`;
    if (text.length < 64 * 1_024) continue;
    yield Buffer.from(text);
    text = '';
  }
  if (text !== '') yield Buffer.from(text);
}

/** The lines, each with one `\n`. */
function joined(lines: readonly Line[]): Buffer {
  const content = Buffer.allocUnsafeSlow(lines.reduce((sum, line) => sum + line.byteLength + 1, 0));
  let at = 0;
  for (const line of lines) {
    at += line.bytes.copy(content, at);
    content[at++] = 10;
  }
  return content;
}

function meter(source: AsyncIterable<Uint8Array>): { source: AsyncIterable<Uint8Array>; bytes: () => number } {
  let bytes = 0;
  return {
    source: (async function* () {
      for await (const chunk of source) {
        bytes += chunk.byteLength;
        yield chunk;
      }
    })(),
    bytes: () => bytes,
  };
}

/** A set of line numbers, one bit each. */
class LineSet {
  size = 0;
  #bits = new Uint32Array(64);

  add(number: number): void {
    const word = number >>> 5;
    if (word >= this.#bits.length) {
      const bits = new Uint32Array(word * 2);
      bits.set(this.#bits);
      this.#bits = bits;
    }
    if (!this.has(number)) this.size++;
    this.#bits[word]! |= 1 << (number & 31);
  }

  has(number: number): boolean {
    return ((this.#bits[number >>> 5] ?? 0) & (1 << (number & 31))) !== 0;
  }
}
