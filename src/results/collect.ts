import type { FileRef } from '../contract/file-ref.js';
import { WriteBackpressure } from '../jsonl/backpressure.js';
import { LineWriter } from '../jsonl/line-writer.js';
import { lineBlocks, type Line } from '../jsonl/lines.js';
import { forEachCustomId } from '../requests/custom-id.js';
import { BatchAccount, type ResultsSummary } from './batch-account.js';
import { type SyntheticCode, syntheticError, syntheticLine } from './synthetic-line.js';
import { type TemporaryFile, UnsuccessfulLines } from './unsuccessful-lines.js';

export interface ResultSources {
  /** The batch's input; null if it cannot be read, and then the ids of the results are taken for those of the input. */
  readonly input: (() => AsyncIterable<Uint8Array>) | null;
  /** The provider's output file; null if there is none. */
  readonly output: (() => AsyncIterable<Uint8Array>) | null;
  /** The provider's error file; null if there is none. */
  readonly errors: (() => AsyncIterable<Uint8Array>) | null;
  /**
   * What a request without a result line counts as: `missing`, or unfinished with this code if the batch ended early,
   * since the provider need not mention the requests that it did not run.
   *
   * @default 'missing'
   */
  readonly withoutLine?: SyntheticCode;
}

/**
 * Where the results go: each id of the input is in exactly one of the two files. A file that would be empty is not
 * written.
 */
export interface ResultSinks {
  /** Writes `output.jsonl`: the succeeded lines as the provider wrote them. */
  readonly writeOutput: (content: AsyncIterable<Uint8Array>) => Promise<FileRef>;
  /**
   * Writes `errors.jsonl`: the failed and unfinished lines as the provider wrote them, then a synthetic line for each
   * request without one, with the `error.code` of {@link ResultSources.withoutLine}.
   */
  readonly writeErrors: (content: AsyncIterable<Uint8Array>) => Promise<FileRef>;
  /** Keeps the lines without success until all are read. */
  readonly unsuccessful: TemporaryFile;
}

export interface CollectedResults {
  readonly summary: ResultsSummary;
  /** Null if no request succeeded. */
  readonly output: FileRef | null;
  /** Null if every request succeeded. */
  readonly errors: FileRef | null;
}

/** Bytes that may wait for storage before the reading stops. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** Text of synthetic lines that is written together, in UTF-16 units. */
const TEXT_LENGTH = 64 * 1024;

/**
 * Reads the input and both result files once, and accounts for every line. Memory: a few dozen bytes for each id.
 */
export async function collectResults(sources: ResultSources, sinks: ResultSinks): Promise<CollectedResults> {
  const account = new BatchAccount();
  if (sources.input) {
    await forEachCustomId(sources.input(), (id) => {
      if (id !== null) account.expect(id);
    });
  }
  const { output, unsuccessful } = await separate(sources, sinks, account);
  const code = sources.withoutLine ?? 'missing';
  const summary = code === 'missing' ? account.summary() : withMissingAsUnfinished(account.summary());
  const errors = async function* () {
    yield* unsuccessful.read((index) => account.outcomes.outcomeOf(index) === 'succeeded');
    yield* syntheticLines(account.missingIds(), code);
  };
  const hasErrors = summary.lines.succeeded < summary.total;
  return { summary, output, errors: hasErrors ? await sinks.writeErrors(errors()) : null };
}

/** Writes the succeeded lines of both result files to the output, and the others to the temporary file. */
async function separate({ output, errors }: ResultSources, sinks: ResultSinks, account: BatchAccount) {
  const backpressure = new WriteBackpressure(MAX_WAITING_BYTES);
  const unsuccessful = new UnsuccessfulLines(sinks.unsuccessful, backpressure);
  const succeeded: { writer?: LineWriter } = {};
  const write = (line: Line) => {
    const recorded = account.record(line);
    if (recorded === null) return;
    if (recorded.outcome !== 'succeeded') unsuccessful.add(recorded.index, line);
    else (succeeded.writer ??= new LineWriter(sinks.writeOutput, backpressure)).add(line);
  };
  try {
    for (const open of [output, errors]) {
      if (!open) continue;
      for await (const lines of lineBlocks(open())) {
        for (const line of lines) write(line);
        succeeded.writer?.endBlock();
        unsuccessful.endBlock();
        if (backpressure.isPressing) await backpressure.settled();
      }
    }
    const written = (await succeeded.writer?.finish()) ?? null;
    await unsuccessful.finish();
    return { output: written, unsuccessful };
  } catch (error) {
    await succeeded.writer?.abort(error);
    await unsuccessful.abort(error);
    throw error;
  }
}

function withMissingAsUnfinished(summary: ResultsSummary): ResultsSummary {
  const { unfinished, missing } = summary.lines;
  return {
    ...summary,
    lines: { ...summary.lines, unfinished: unfinished + missing, missing: 0 },
    examples: { ...summary.examples, missing: [] },
  };
}

async function* syntheticLines(customIds: Iterable<string>, code: SyntheticCode): AsyncGenerator<Uint8Array> {
  const error = syntheticError(code);
  let text = '';
  for (const customId of customIds) {
    text += `${syntheticLine(customId, error)}\n`;
    if (text.length < TEXT_LENGTH) continue;
    yield Buffer.from(text);
    text = '';
  }
  if (text !== '') yield Buffer.from(text);
}
