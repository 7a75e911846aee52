/** What became of each request, over all rounds, and where its line is. Memory: some 40 bytes and the id itself for each request. */
import type { TokenUsage } from '../contract/batch.js';
import { CustomIdReader } from '../jsonl/custom-id.js';
import { IdTable } from '../jsonl/id-table.js';
import { BRACE } from '../jsonl/json-skim.js';
import { lineBlocks, type Line } from '../jsonl/lines.js';
import type { AnswerPolicy, BulkResultFiles, PartFailure, ResultFile } from './merge.js';
import { leadingId } from '../requests/request-reader.js';
import { FATES, type Fate, ResultReader } from './result-reader.js';
import type { BulkSource } from '../requests/split.js';

/** A file of results, as a stretch of all of them one behind the other. */
export interface IndexedFile {
  readonly file: ResultFile;
  readonly round: number;
  /** Where it begins. */
  readonly base: number;
}

/** A batch that failed, as the errors file tells of it. */
export interface FailedBatch {
  readonly round: number;
  readonly type: string;
  readonly message: string;
}

const ANSWERED = FATES.indexOf('answered');
const STRANDED = FATES.indexOf('stranded');
const UNFINISHED = FATES.indexOf('unfinished');

export class ResultIndex {
  readonly ids: IdTable;
  /** By their base. */
  readonly files: IndexedFile[] = [];
  readonly counts: Record<Fate, number>;
  readonly usageByModel: Record<string, TokenUsage> = {};
  /** By place of the request in the input: index of its fate. */
  readonly #fates: Uint8Array;
  /** By place: where its line begins, at the brace, over all files; where it has none and its batch failed, the failure counted from -1 down. */
  readonly #positions: Float64Array;
  /** By place: bytes from the brace up to the line break; 0 where it has no line. */
  readonly #lengths: Uint32Array;
  readonly #failures: FailedBatch[] = [];
  /** Where the next file begins, and where the round's first one did. */
  #end = 0;
  #roundStart = 0;

  private constructor(ids: IdTable) {
    this.ids = ids;
    this.#fates = new Uint8Array(ids.size);
    this.#positions = new Float64Array(ids.size);
    this.#lengths = new Uint32Array(ids.size);
    this.counts = { missing: ids.size, unfinished: 0, stranded: 0, failed: 0, rejected: 0, refused: 0, answered: 0 };
  }

  /** @param open opens a file of results; by default as it says itself */
  static async read(
    sources: readonly BulkSource[],
    results: readonly BulkResultFiles[],
    policy: AnswerPolicy,
    open: (file: ResultFile) => AsyncIterable<Uint8Array> = (file) => file.open(),
  ): Promise<ResultIndex> {
    const index = new ResultIndex(await readIds(sources));
    const reader = new ResultReader(policy);
    let round: number | null = null;
    for (const result of results.toSorted((a, b) => a.round - b.round || a.part - b.part)) {
      if (result.round !== round) index.#roundStart = index.#end;
      round = result.round;
      for (const file of [result.output, result.errors]) {
        if (file) await index.#readFile(file, result, reader, open(file));
      }
      if (result.failure) await index.#readFailure(result.failure, result.round);
    }
    return index;
  }

  fateOf(place: number): Fate {
    return FATES[this.#fates[place]!]!;
  }

  /** Where the request's line begins over all files, at its brace. */
  positionOf(place: number): number {
    return this.#positions[place]!;
  }

  /** Bytes of the request's line without its line break; 0 where it has none. */
  lengthOf(place: number): number {
    return this.#lengths[place]!;
  }

  /** Whether the request may be tried again. */
  isOpen(place: number): boolean {
    const fate = this.fateOf(place);
    return fate !== 'answered' && fate !== 'refused' && fate !== 'stranded';
  }

  /** Why a request without a line has none, where its batch failed. */
  failureOf(place: number): FailedBatch | null {
    const position = this.#positions[place]!;
    return position < 0 ? this.#failures[-position - 1]! : null;
  }

  /** Index of the file that has the position. */
  fileAt(position: number): number {
    let low = 0;
    let high = this.files.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.files[middle]!.base <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  async #readFile(
    file: ResultFile,
    { model, round }: BulkResultFiles,
    reader: ResultReader,
    content: AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const base = this.#end;
    this.files.push({ file, round, base });
    const usage = (this.usageByModel[model] ??= { inputTokens: 0, outputTokens: 0, totalTokens: 0 });
    for await (const lines of lineBlocks(content)) {
      for (const line of lines) {
        this.#end = base + line.offset + line.byteLength + 1;
        const result = reader.read(line);
        if (result === null) continue;
        usage.inputTokens += result.usage.inputTokens;
        usage.outputTokens += result.usage.outputTokens;
        usage.totalTokens += result.usage.totalTokens;
        const place = this.ids.find(result.customId);
        if (place !== -1) this.#take(place, FATES.indexOf(result.fate), base, line);
      }
    }
  }

  /** An answer stays, the first of them; of all else the last round's line counts, and within a round the better one. */
  #take(place: number, fate: number, base: number, line: Line): void {
    const former = this.#fates[place]!;
    if (former === ANSWERED) return;
    if (this.#isOfThisRound(place) && fate <= former) return;
    this.#count(former, fate);
    const indent = line.block[line.start] === BRACE ? 0 : line.bytes.indexOf(BRACE);
    this.#fates[place] = fate;
    this.#positions[place] = base + line.offset + indent;
    this.#lengths[place] = line.byteLength - indent;
  }

  /** What a failed batch leaves without an answer has the batch's reason. */
  async #readFailure({ requests, isFinal, ...failure }: PartFailure, round: number): Promise<void> {
    const position = -this.#failures.push({ ...failure, round });
    const fate = isFinal ? STRANDED : UNFINISHED;
    await eachId(requests.open(), (id) => {
      const place = id === null ? -1 : this.ids.find(id);
      if (place === -1) return;
      const former = this.#fates[place]!;
      if (former === ANSWERED || (former > STRANDED && this.#isOfThisRound(place))) return;
      this.#count(former, fate);
      this.#fates[place] = fate;
      this.#positions[place] = position;
      this.#lengths[place] = 0;
    });
  }

  #isOfThisRound(place: number): boolean {
    return this.#lengths[place]! > 0 && this.#positions[place]! >= this.#roundStart;
  }

  #count(former: number, fate: number): void {
    this.counts[FATES[former]!] -= 1;
    this.counts[FATES[fate]!] += 1;
  }
}

/** The ids of the input in its order; `line-<n>` where a request has none, as the split gives them. */
async function readIds(sources: readonly BulkSource[]): Promise<IdTable> {
  const ids = new IdTable();
  let before = 0;
  for (const source of sources) {
    let last = 0;
    await eachId(source.open(), (id, number) => {
      last = number;
      ids.push(id ?? `line-${before + number}`);
    });
    before += last;
  }
  ids.settle((place) => {
    throw new Error(`the input changed: request ${place + 1} has an id that stood before`);
  });
  return ids;
}

/** Tells the `custom_id` of each line, or null where it has none, and the line's number. */
async function eachId(
  content: AsyncIterable<Uint8Array>,
  tell: (id: string | null, number: number) => void,
): Promise<void> {
  const reader = new CustomIdReader();
  for await (const lines of lineBlocks(content)) {
    for (const line of lines) tell(leadingId(line, null) ?? reader.read(line), line.number);
  }
}
