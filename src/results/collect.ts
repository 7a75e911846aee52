import type { FileRef } from '../contract/file-ref.js';
import { WriteBackpressure } from '../jsonl/backpressure.js';
import { LineWriter } from '../jsonl/line-writer.js';
import { lineBlocks, type Line, RESULT_LINES } from '../jsonl/lines.js';
import { forEachCustomId } from '../requests/custom-id.js';
import { BatchAccount, type ResultsSummary } from './batch-account.js';
import { LinesAside } from './lines-aside.js';
import { type LostCode, type SyntheticCode, syntheticError, syntheticLine } from './synthetic-line.js';
import { type TemporaryFile, UnsuccessfulLines } from './unsuccessful-lines.js';

export interface ResultSources {
  /** The batch's input; null if it cannot be read, and then the ids of the results are taken for those of the input. */
  readonly input: (() => AsyncIterable<Uint8Array>) | null;
  /** The provider's output file; null if there is none. */
  readonly output: (() => AsyncIterable<Uint8Array>) | null;
  /** The provider's error file; null if there is none. */
  readonly errors: (() => AsyncIterable<Uint8Array>) | null;
  /**
   * Set if the batch ended early, since the provider need not mention the requests that it did not run: a request
   * without a line is then unfinished, with this code, unless it may have been answered. Without it, such a request is
   * `missing`.
   */
  readonly endedEarly?: EndedEarly;
}

export interface EndedEarly {
  readonly code: Exclude<SyntheticCode, LostCode>;
  /** How many requests the provider counts as completed. */
  readonly completed: number;
}

/**
 * Where the results go: each id of the input is in exactly one of the first two files, and every line of the provider in
 * one of the three. A file that would be empty is not written.
 */
export interface ResultSinks {
  /** Writes `output.jsonl`: the succeeded lines as the provider wrote them. */
  readonly writeOutput: (content: AsyncIterable<Uint8Array>) => Promise<FileRef>;
  /**
   * Writes `errors.jsonl`: the failed and unfinished lines as the provider wrote them, then a synthetic line for each
   * request without one, with the `error.code` `missing`, `unreadable` or that of {@link ResultSources.endedEarly}.
   */
  readonly writeErrors: (content: AsyncIterable<Uint8Array>) => Promise<FileRef>;
  /**
   * Writes `unreadable.jsonl`: the lines that are in neither of the two files, as they are.
   */
  readonly writeUnreadable: (content: AsyncIterable<Uint8Array>) => Promise<FileRef>;
  /** Keeps the lines without success until all are read. */
  readonly unsuccessful: TemporaryFile;
}

export interface CollectedResults {
  readonly summary: ResultsSummary;
  /** Null if no request succeeded. */
  readonly output: FileRef | null;
  /** Null if every request succeeded. */
  readonly errors: FileRef | null;
  /** Null if every line is in one of the other files. */
  readonly unreadable: FileRef | null;
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
  const { output, unsuccessful, aside, backpressure } = await separate(sources, sinks, account);
  const code = codeWithoutLine(account.summary(), sources.endedEarly);
  const isLost = code === 'missing' || code === 'unreadable';
  const summary = isLost ? account.summary() : withMissingAsUnfinished(account.summary());
  const setAside = async (lines: readonly Line[]) => {
    for (const line of lines) aside.add(line);
    aside.endBlock();
    if (backpressure.isPressing) await backpressure.settled();
  };
  const errors = async function* () {
    yield* unsuccessful.read((index) => account.outcomes.outcomeOf(index) === 'succeeded', setAside);
    yield* syntheticLines(account.missingIds(), code);
  };
  try {
    const hasErrors = summary.lines.succeeded < summary.total;
    const writtenErrors = hasErrors ? await sinks.writeErrors(errors()) : await replacedLines(errors());
    return { summary, output, errors: writtenErrors, unreadable: await aside.finish() };
  } catch (error) {
    await aside.abort(error);
    throw error;
  }
}

/** Reads the lines without success although each is replaced by a success, so that they are set aside. */
async function replacedLines(errors: AsyncGenerator<Uint8Array>): Promise<null> {
  for await (const block of errors) throw new Error(`${block.length} bytes of errors, though every request succeeded`);
  return null;
}

/**
 * What a request without a line counts as. It may have been answered if the batch has answers that match no request, or
 * fewer answers than the provider counts: then it must not count as one that was never run.
 */
function codeWithoutLine({ answered, strayAnswers }: ResultsSummary, endedEarly?: EndedEarly): SyntheticCode {
  if (strayAnswers > 0) return 'unreadable';
  return endedEarly && endedEarly.completed <= answered ? endedEarly.code : 'missing';
}

/** Writes the succeeded lines of both result files to the output, and the others to the temporary file. */
async function separate({ output, errors }: ResultSources, sinks: ResultSinks, account: BatchAccount) {
  const backpressure = new WriteBackpressure(MAX_WAITING_BYTES);
  const unsuccessful = new UnsuccessfulLines(sinks.unsuccessful, backpressure);
  const aside = new LinesAside(sinks.writeUnreadable, backpressure);
  const succeeded: { writer?: LineWriter } = {};
  const write = (line: Line) => {
    const placement = account.record(line);
    if (placement.kind === 'aside') aside.add(line);
    if (placement.kind !== 'counts') return;
    const { index, outcome, bytes } = placement;
    if (outcome !== 'succeeded') return unsuccessful.add(index, line, bytes);
    succeeded.writer ??= new LineWriter(sinks.writeOutput, backpressure);
    if (bytes === null) succeeded.writer.add(line);
    else succeeded.writer.addBytes(bytes);
  };
  const options = { ...RESULT_LINES, onTooLong: (piece: Buffer) => aside.addPiece(piece) };
  try {
    for (const open of [output, errors]) {
      if (!open) continue;
      for await (const lines of lineBlocks(open(), options)) {
        for (const line of lines) write(line);
        succeeded.writer?.endBlock();
        unsuccessful.endBlock();
        aside.endBlock();
        if (backpressure.isPressing) await backpressure.settled();
      }
    }
    const written = (await succeeded.writer?.finish()) ?? null;
    await unsuccessful.finish();
    return { output: written, unsuccessful, aside, backpressure };
  } catch (error) {
    await succeeded.writer?.abort(error);
    await unsuccessful.abort(error);
    await aside.abort(error);
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
