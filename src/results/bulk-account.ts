import { IdTable } from '../jsonl/id-table.js';
import type { TokenUsage } from '../contract/batch.js';
import { NO_USAGE } from '../contract/no-usage.js';
import { type Line, lineBlocks, type LineSource, RESULT_LINES } from '../jsonl/lines.js';
import { forEachCustomId, lineId } from '../requests/custom-id.js';
import { RequestOutcomes } from './request-outcomes.js';
import { type AnswerPolicy, collectedResultReader } from './result-reader.js';
import type { LostCode } from './synthetic-line.js';
import { addUsage, noUsage, type UsageSum } from './usage.js';

/** The collected results of one part: the files that `runBatch` wrote. */
export interface PartResults {
  /** From 1. */
  readonly round: number;
  readonly part: number;
  /** Its usage is summed and priced by this name, whichever version of the model the answers name. */
  readonly model: string;
  readonly output: LineSource | null;
  readonly errors: LineSource | null;
  /** Lines that are in neither file. */
  readonly unreadable: LineSource | null;
  /** Tokens of all its lines, as its batch counted them. */
  readonly usage: TokenUsage | null;
  /** The failure of its run, if it failed. */
  readonly failure?: PartFailure | null;
}

export interface PartFailure {
  /** The failure type. */
  readonly type: string;
  readonly message: string;
  /** Whether the part's requests must not be sent again: they may still be answered, or would be refused again. */
  readonly isFinal: boolean;
  /** The requests of the part. */
  readonly requests: LineSource;
}

/** A result file as a section of all result files, one behind the other. */
export interface FileSection {
  readonly file: LineSource;
  /** Where it begins. */
  readonly base: number;
}

export interface ReadOptions {
  /** Opens a result file, if not by its own `open`. */
  readonly open?: (file: LineSource) => AsyncIterable<Uint8Array>;
  /** Receives the lines that are no result of a request of the input. They belong to a block that is reused. */
  readonly setAside?: (lines: readonly Line[]) => Promise<void>;
}

/**
 * Accounts for the results of all parts over all rounds: how each request ended, and where its result line is. A
 * request is known by its index in the input. Memory: some 45 bytes and the id itself for each request.
 */
export class BulkAccount {
  readonly outcomes: RequestOutcomes;
  readonly usageByModel: Record<string, UsageSum> = {};
  /** By their base. */
  readonly sections: FileSection[] = [];
  /** By index: offset of the opening brace of the request's line, over all files. */
  readonly #positions: Float64Array;
  /** By index: bytes from the brace to the line break; 0 where there is no line. */
  readonly #lengths: Uint32Array;
  /** By index, where there is no line: number of the part's failure, from 1; 0 where its part did not fail. */
  readonly #failureNumbers: Int32Array;
  readonly #failures: PartFailure[] = [];
  /** Where the next file begins. */
  #end = 0;

  private constructor(ids: IdTable) {
    this.outcomes = new RequestOutcomes(ids);
    this.#positions = new Float64Array(ids.size);
    this.#lengths = new Uint32Array(ids.size);
    this.#failureNumbers = new Int32Array(ids.size);
  }

  /**
   * @throws an error if the input has a duplicate `custom_id`, so changed since it was checked
   */
  static async read(
    sources: readonly LineSource[],
    results: readonly PartResults[],
    policy: AnswerPolicy,
    options: ReadOptions = {},
  ): Promise<BulkAccount> {
    const account = new BulkAccount(await idsOf(sources));
    const read = collectedResultReader(policy);
    for (const part of results.toSorted((a, b) => a.round - b.round || a.part - b.part)) {
      addUsage((account.usageByModel[part.model] ??= noUsage()), part.usage ?? NO_USAGE);
      for (const file of [part.output, part.errors]) if (file) await account.#readFile(file, part.round, read, options);
      if (part.failure) await account.#readFailure(part.failure, part.round);
    }
    return account;
  }

  /** Bytes of the request's line from its opening brace, without its line break; 0 where it has none. */
  lengthOf(index: number): number {
    return this.#lengths[index]!;
  }

  /** Offset of the line's opening brace over all result files, for a request that has a line. */
  positionOf(index: number): number {
    return this.#positions[index]!;
  }

  /** The failure of the part of a request without a line; null if the part did not fail. */
  failureOf(index: number): PartFailure | null {
    return this.#failures[this.#failureNumbers[index]! - 1] ?? null;
  }

  /** Index of the section that contains the position. */
  sectionAt(position: number): number {
    let low = 0;
    let high = this.sections.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.sections[middle]!.base <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  async #readFile(
    file: LineSource,
    round: number,
    read: ReturnType<typeof collectedResultReader>,
    { open = (source) => source.open(), setAside }: ReadOptions,
  ): Promise<void> {
    const base = this.#end;
    this.sections.push({ file, base });
    for await (const lines of lineBlocks(open(file), RESULT_LINES)) {
      const strays: Line[] = [];
      for (const line of lines) {
        this.#end = base + line.offset + line.byteLength + 1;
        const result = read(line);
        const index = result === null ? -1 : this.outcomes.ids.find(result.customId);
        if (result === null || index === -1) strays.push(line);
        else if (this.outcomes.take(index, result.outcome, round)) this.#place(index, line, base);
      }
      if (strays.length > 0) await setAside?.(strays);
    }
  }

  #place(index: number, line: Line, base: number): void {
    const indent = indentOf(line);
    this.#positions[index] = base + line.offset + indent;
    this.#lengths[index] = line.byteLength - indent;
  }

  /**
   * Requests of a failed part without a real result get the reason of the failure, in place of lines that only say "not
   * answered".
   */
  async #readFailure(failure: PartFailure, round: number): Promise<void> {
    const number = this.#failures.push(failure);
    const outcome = failure.isFinal ? 'abandoned' : 'unfinished';
    await forEachCustomId(failure.requests.open(), (id) => {
      const index = id === null ? -1 : this.outcomes.ids.find(id);
      if (index === -1) return;
      // A batch that failed with results knows better which requests it answered.
      const isLost = LOST.has(this.outcomes.outcomeOf(index)) && this.outcomes.roundOf(index) === round;
      if ((isLost && !failure.isFinal) || !this.outcomes.take(index, outcome, round, 'last')) return;
      this.#failureNumbers[index] = number;
      this.#lengths[index] = 0;
    });
  }
}

const LOST: ReadonlySet<string> = new Set<LostCode>(['missing', 'unreadable']);
const BRACE = 0x7b;

/** Bytes before the opening brace. */
function indentOf(line: Line): number {
  return line.block[line.start] === BRACE ? 0 : line.bytes.indexOf(BRACE);
}

/** The ids of the input in its order, including those that the split gave. */
async function idsOf(sources: readonly LineSource[]): Promise<IdTable> {
  const ids = new IdTable();
  let linesBefore = 0;
  for (const source of sources) {
    let lastLine = 0;
    await forEachCustomId(source.open(), (id, number) => {
      lastLine = number;
      ids.push(id ?? lineId(linesBefore + number));
    });
    linesBefore += lastLine;
  }
  ids.settle((index) => {
    throw new Error(`the input changed: duplicate custom_id in request ${index + 1}`);
  });
  return ids;
}
