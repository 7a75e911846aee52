/** Lines of many result files in another order than theirs, by positioned reads that are gathered a window at a time. */
import type { LocalFiles } from './local-files.js';
import type { ResultIndex } from './result-index.js';

/** Lines that are brought into order at once: so many that neighbours in the files are read in one go, so few that two windows are small. */
const WINDOW_BYTES = 16 * 1024 * 1024;
const WINDOW_LINES = 2 ** 14;
/** Lines this close to each other are read together: to read what lies between costs less than another call. */
const GAP = 64 * 1024;
const READ_BYTES = 2 * 1024 * 1024;
const PIECE = 256 * 1024;
const NEWLINE = 10;

export class ResultLines {
  readonly #index: ResultIndex;
  readonly #files: LocalFiles;
  #chunk = Buffer.alloc(0);

  constructor(index: ResultIndex, files: LocalFiles) {
    this.#index = index;
    this.#files = files;
  }

  /** The answered requests' lines, in the order of the places. */
  answers(places: Iterable<number>): AsyncGenerator<Uint8Array> {
    return this.#stream(places, true);
  }

  /** Everything else: the line of the last round with its round and fate put in, or a line of ours. */
  others(places: Iterable<number>): AsyncGenerator<Uint8Array> {
    return this.#stream(places, false);
  }

  /** Reads a window ahead of what is written. */
  async *#stream(places: Iterable<number>, areAnswers: boolean): AsyncGenerator<Uint8Array> {
    let reading: Promise<Buffer> | null = null;
    try {
      for (const window of this.#windows(places, areAnswers)) {
        const content: Buffer | null = await reading;
        reading = this.#read(window, areAnswers);
        // It may fail before it is awaited.
        reading.catch(() => undefined);
        if (content) yield* inPieces(content);
      }
      if (reading) yield* inPieces(await reading);
    } finally {
      // Whoever stops early may close the files then.
      await reading?.catch(() => undefined);
    }
  }

  *#windows(places: Iterable<number>, areAnswers: boolean): Generator<number[]> {
    let window: number[] = [];
    let bytes = 0;
    for (const place of places) {
      if ((this.#index.fateOf(place) === 'answered') !== areAnswers) continue;
      window.push(place);
      bytes += this.#index.lengthOf(place);
      if (bytes < WINDOW_BYTES && window.length < WINDOW_LINES) continue;
      yield window;
      window = [];
      bytes = 0;
    }
    if (window.length > 0) yield window;
  }

  /** The window's lines, one behind the other, each with its line break. */
  async #read(window: readonly number[], areAnswers: boolean): Promise<Buffer> {
    const heads = areAnswers ? null : window.map((place) => this.#head(place));
    /** By slot of the window: where the line begins in what is made, behind its head. */
    const starts = new Uint32Array(window.length);
    /** Positions in the files, and behind them the slots, as one number each to be sorted. */
    const wanted = new Float64Array(window.length);
    let lines = 0;
    let size = 0;
    window.forEach((place, slot) => {
      const length = this.#index.lengthOf(place);
      const head = heads?.[slot]?.length ?? 0;
      starts[slot] = size + head;
      // The head takes the place of the line's brace.
      size += head + length - (head > 0 && length > 0 ? 1 : 0) + 1;
      if (length > 0) wanted[lines++] = this.#index.positionOf(place) * WINDOW_LINES + slot;
    });
    const content = Buffer.allocUnsafeSlow(size);
    await this.#fill(content, starts, window, wanted.subarray(0, lines).toSorted(), areAnswers ? 0 : 1);
    heads?.forEach((head, slot) => head.copy(content, starts[slot]! - head.length));
    for (let slot = 0; slot < window.length; slot++) {
      const head = heads?.[slot + 1]?.length ?? 0;
      content[(slot + 1 < window.length ? starts[slot + 1]! - head : size) - 1] = NEWLINE;
    }
    return content;
  }

  /** Reads the lines in the order of the files, and copies each to where it belongs. */
  async #fill(
    content: Buffer,
    starts: Uint32Array,
    window: readonly number[],
    wanted: Float64Array,
    skipped: number,
  ): Promise<void> {
    const { files } = this.#index;
    const positionAt = (at: number): number => Math.floor(wanted[at]! / WINDOW_LINES);
    const placeAt = (at: number): number => window[wanted[at]! % WINDOW_LINES]!;
    for (let first = 0, file = -1, fileEnd = 0; first < wanted.length;) {
      const from = positionAt(first);
      if (from >= fileEnd) {
        file = this.#index.fileAt(from);
        fileEnd = files[file + 1]?.base ?? Infinity;
      }
      let to = from + this.#index.lengthOf(placeAt(first));
      let next = first + 1;
      for (; next < wanted.length; next++) {
        const start = positionAt(next);
        const end = start + this.#index.lengthOf(placeAt(next));
        if (start - to > GAP || end - from > READ_BYTES || start >= fileEnd) break;
        to = end;
      }
      if (this.#chunk.length < to - from) this.#chunk = Buffer.allocUnsafeSlow(Math.max(to - from, READ_BYTES));
      const chunk = this.#chunk.subarray(0, to - from);
      const { file: source, base } = files[file]!;
      await this.#files.readAt(source, from - base, chunk);
      for (; first < next; first++) {
        const start = positionAt(first) - from;
        const end = start + this.#index.lengthOf(placeAt(first));
        chunk.copy(content, starts[wanted[first]! % WINDOW_LINES], start + skipped, end);
      }
    }
  }

  /** What is put before a line that is no answer, in place of its brace; the whole line where there is none. */
  #head(place: number): Buffer {
    const fate = this.#index.fateOf(place);
    if (this.#index.lengthOf(place) > 0) {
      const { round } = this.#index.files[this.#index.fileAt(this.#index.positionOf(place))]!;
      return Buffer.from(`{"round":${round},"fate":"${fate}",`);
    }
    const error = { code: 'missing', message: 'No batch has a result for the request.' };
    const customId = this.#index.ids.at(place);
    return Buffer.from(JSON.stringify({ round: 0, fate, id: null, custom_id: customId, response: null, error }));
  }
}

function* inPieces(content: Buffer): Generator<Buffer> {
  for (let at = 0; at < content.length; at += PIECE) yield content.subarray(at, at + PIECE);
}
