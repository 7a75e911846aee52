import type { FileRef } from '../contract/file-ref.js';
import { WriteBackpressure } from '../jsonl/backpressure.js';
import { CustomIdReader } from '../jsonl/custom-id.js';
import { LineWriter } from '../jsonl/line-writer.js';
import { type Line, lineBlocks } from '../jsonl/lines.js';
import { ResultsLedger, type ResultsSummary } from './results-ledger.js';

export interface ResultSources {
  /** The batch's input; null where it cannot be read, and then the ids of the results are taken for the input's. */
  input: (() => AsyncIterable<Uint8Array>) | null;
  /** The provider's output file; null where there is none. */
  output: (() => AsyncIterable<Uint8Array>) | null;
  /** The provider's error file; null where there is none. */
  errors: (() => AsyncIterable<Uint8Array>) | null;
  /**
   * What a request without a result counts as: `missing`, or unfinished with this code, where the batch ended before its time and the
   * provider need not mention what it did not get to. Default `'missing'`.
   */
  absent?: 'missing' | 'batch_expired' | 'batch_cancelled';
}

/** Where the results go: each id of the input is in exactly one of the two files. A file that nothing goes into is not written. */
export interface ResultSinks {
  /** Takes `output.jsonl`: the succeeded lines as the provider wrote them. */
  readonly writeOutput: (content: AsyncIterable<Uint8Array>) => Promise<FileRef>;
  /**
   * Takes `errors.jsonl`: the failed and unfinished lines as the provider wrote them, then a line of ours with `error.code:
   * "missing"` (or what {@link ResultSources.absent} says) for each request without a result.
   */
  readonly writeErrors: (content: AsyncIterable<Uint8Array>) => Promise<FileRef>;
  /** Keeps the lines without success until all are read, and gives them back. */
  readonly aside: {
    readonly write: (content: AsyncIterable<Uint8Array>) => Promise<FileRef>;
    readonly read: () => AsyncIterable<Uint8Array>;
  };
}

export interface CollectedResults {
  readonly summary: ResultsSummary;
  /** Null when there is none. */
  readonly output: FileRef | null;
  /** Null when there is none. */
  readonly errors: FileRef | null;
}

/** Bytes that may wait for a slow storage. */
const BACKLOG = 1024 * 1024;

/**
 * Reads the input and both result files once, and accounts for every line. A success goes into its file as it comes. All else is put
 * aside: whether a failed line counts is known only when no later line of the same id succeeded, and so many failures need not be held.
 * Memory: a few dozen bytes an id.
 */
export async function collectResults(sources: ResultSources, sinks: ResultSinks): Promise<CollectedResults> {
  const ledger = new ResultsLedger();
  if (sources.input) {
    const reader = new CustomIdReader();
    for await (const lines of lineBlocks(sources.input())) {
      for (const line of lines) {
        const id = reader.read(line);
        if (id !== null) ledger.expect(id);
      }
    }
  }
  const { output, aside } = await sorted(sources, sinks, ledger);
  const absent = sources.absent ?? 'missing';
  const summary = absent === 'missing' ? ledger.summary() : withoutMissing(ledger.summary());
  const others = async function* () {
    if (aside) yield* pick(sinks.aside.read(), aside, new LineSet(ledger.unsuccessfulLines()));
    yield* absentLines(ledger, absent);
  };
  const hasOthers = summary.lines.succeeded < summary.total;
  return { summary, output, errors: hasOthers ? await sinks.writeErrors(others()) : null };
}

/** Writes the lines of both result files that count, by whether they succeeded; null for a file that would be empty. */
async function sorted({ output, errors }: ResultSources, { writeOutput, aside }: ResultSinks, ledger: ResultsLedger) {
  const backlog = new WriteBackpressure(BACKLOG);
  const files: { output?: LineWriter; aside?: LineWriter } = {};
  try {
    for (const open of [output, errors]) {
      if (!open) continue;
      for await (const lines of lineBlocks(open())) {
        for (const line of lines) {
          const outcome = ledger.record(line);
          if (outcome === 'succeeded') (files.output ??= new LineWriter(writeOutput, backlog)).add(line);
          else if (outcome !== null) (files.aside ??= new LineWriter(aside.write, backlog)).add(line);
        }
        files.output?.endBlock();
        files.aside?.endBlock();
        if (backlog.isPressing) await backlog.settled();
      }
    }
    return { output: (await files.output?.finish()) ?? null, aside: (await files.aside?.finish()) ?? null };
  } catch (error) {
    await files.output?.abort(error);
    await files.aside?.abort(error);
    throw error;
  }
}

/** The lines of these numbers, from 0. */
async function* pick(source: AsyncIterable<Uint8Array>, { uri, bytes }: FileRef, chosen: LineSet) {
  const metered = meter(source);
  for await (const lines of lineBlocks(metered.source)) {
    const picked = lines.filter((line) => chosen.has(line.number - 1));
    if (picked.length > 0) yield joined(picked);
  }
  // Line numbers mean nothing in another file.
  if (metered.bytes() !== bytes) {
    throw new Error(`${uri} had ${bytes} bytes when it was written and ${metered.bytes()} when read again`);
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
  #bits = new Uint32Array(64);

  constructor(numbers: Iterable<number>) {
    for (const number of numbers) this.#add(number);
  }

  #add(number: number): void {
    const word = number >>> 5;
    if (word >= this.#bits.length) {
      const bits = new Uint32Array(word * 2);
      bits.set(this.#bits);
      this.#bits = bits;
    }
    this.#bits[word]! |= 1 << (number & 31);
  }

  has(number: number): boolean {
    return ((this.#bits[number >>> 5] ?? 0) & (1 << (number & 31))) !== 0;
  }
}
