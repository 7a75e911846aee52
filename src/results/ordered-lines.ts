/** Lines of many result files in another order than theirs, by positioned reads that are gathered a window at a time. */
import type { LocalFiles } from './local-files.js';
import { ChunkedBuffer } from '../jsonl/chunked-buffer.js';
import type { ResultIndex } from './result-index.js';

/** Lines that are brought into order at once: so many that neighbours in the files are read in one go, so few that two windows are small. */
const WINDOW_BYTES = 16 * 1024 * 1024;
const WINDOW_LINES = 2 ** 14;
/** Lines this close to each other are read together: to read what lies between costs less than another call. */
const GAP = 64 * 1024;
const READ_BYTES = 1024 * 1024;
const NEWLINE = Buffer.from('\n');

export class ResultLines {
  readonly #index: ResultIndex;
  readonly #files: LocalFiles;
  /** What was read last: one buffer, since nobody keeps it. */
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
    let reading: Promise<ChunkedBuffer> | null = null;
    try {
      for (const window of this.#windows(places, areAnswers)) {
        const content: ChunkedBuffer | null = await reading;
        reading = this.#read(window, areAnswers);
        // It may fail before it is awaited.
        reading.catch(() => undefined);
        if (content) yield* content.drain();
      }
      if (reading) yield* (await reading).drain();
    } finally {
      // Whoever stops early may close the files then.
      await reading?.catch(() => undefined);
    }
  }

  *#windows(places: Iterable<number>, areAnswers: boolean): Generator<Uint32Array> {
    let window = new Uint32Array(WINDOW_LINES);
    let lines = 0;
    let bytes = 0;
    for (const place of places) {
      if ((this.#index.fateOf(place) === 'answered') !== areAnswers) continue;
      window[lines++] = place;
      bytes += this.#index.lengthOf(place);
      if (bytes < WINDOW_BYTES && lines < WINDOW_LINES) continue;
      yield window.subarray(0, lines);
      window = new Uint32Array(WINDOW_LINES);
      lines = 0;
      bytes = 0;
    }
    if (lines > 0) yield window.subarray(0, lines);
  }

  /** The window's lines, one behind the other, each with its line break. */
  async #read(window: Uint32Array, areAnswers: boolean): Promise<ChunkedBuffer> {
    const heads = areAnswers ? null : Array.from(window, (place) => this.#head(place));
    /** By slot of the window: where the line begins in what is made, behind its head. */
    const starts = new Float64Array(window.length);
    /** Positions in the files, and behind them the slots, as one number each to be sorted. */
    const wanted = new Float64Array(window.length);
    let lines = 0;
    let size = 0;
    for (let slot = 0; slot < window.length; slot++) {
      const place = window[slot]!;
      const length = this.#index.lengthOf(place);
      const head = heads?.[slot]?.length ?? 0;
      starts[slot] = size + head;
      // The head takes the place of the line's brace.
      size += head + length - (head > 0 && length > 0 ? 1 : 0) + 1;
      if (length > 0) wanted[lines++] = this.#index.positionOf(place) * WINDOW_LINES + slot;
    }
    const content = new ChunkedBuffer(size);
    await this.#fill(content, starts, window, wanted.subarray(0, lines).toSorted(), areAnswers ? 0 : 1);
    heads?.forEach((head, slot) => content.set(starts[slot]! - head.length, head, 0, head.length));
    for (let slot = 1; slot <= window.length; slot++) {
      const end = slot === window.length ? size : starts[slot]! - (heads?.[slot]?.length ?? 0);
      content.set(end - 1, NEWLINE, 0, 1);
    }
    return content;
  }

  /** Reads the lines in the order of the files, and copies each to where it belongs. */
  async #fill(
    content: ChunkedBuffer,
    starts: Float64Array,
    window: Uint32Array,
    wanted: Float64Array,
    skipped: number,
  ): Promise<void> {
    const { files } = this.#index;
    const positionAt = (at: number): number => Math.floor(wanted[at]! / WINDOW_LINES);
    const slotAt = (at: number): number => wanted[at]! % WINDOW_LINES;
    const lengthAt = (at: number): number => this.#index.lengthOf(window[slotAt(at)]!);
    for (let first = 0, file = 0, fileEnd = 0; first < wanted.length;) {
      const from = positionAt(first);
      if (from >= fileEnd) {
        file = this.#index.fileAt(from);
        fileEnd = files[file + 1]?.base ?? Infinity;
      }
      let to = from + lengthAt(first);
      let next = first + 1;
      for (; next < wanted.length; next++) {
        const start = positionAt(next);
        const end = start + lengthAt(next);
        if (start - to > GAP || end - from > READ_BYTES || start >= fileEnd) break;
        to = end;
      }
      if (this.#chunk.length < to - from) this.#chunk = Buffer.allocUnsafeSlow(Math.max(to - from, READ_BYTES));
      const { file: source, base } = files[file]!;
      await this.#files.readAt(source, from - base, this.#chunk.subarray(0, to - from));
      for (; first < next; first++) {
        const start = positionAt(first) - from;
        content.set(starts[slotAt(first)]!, this.#chunk, start + skipped, start + lengthAt(first));
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
    const { round, type, message } = this.#index.failureOf(place) ?? NO_RESULT;
    const customId = this.#index.ids.at(place);
    const error = { code: type, message };
    return Buffer.from(JSON.stringify({ round, fate, id: null, custom_id: customId, response: null, error }));
  }
}

const NO_RESULT = { round: 0, type: 'missing', message: 'No batch has a result for the request.' };
