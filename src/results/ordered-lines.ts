/**
 * Copies lines of many result files in another order than theirs, by positioned reads that are grouped within a window
 * of lines.
 */
import { ChunkedBuffer } from '../jsonl/chunked-buffer.js';
import type { BulkAccount } from './bulk-account.js';
import type { LocalFiles } from './local-files.js';
import { syntheticError, syntheticLine } from './synthetic-line.js';

/**
 * A window is large enough for neighbours in the files to be read together, and small enough to keep two of them in
 * memory.
 */
const WINDOW_BYTES = 16 * 1024 * 1024;
const WINDOW_LINES = 2 ** 14;
/** Lines that are not further apart are read together: reading the bytes between them costs less than another read. */
const MAX_GAP_BYTES = 64 * 1024;
const MAX_READ_BYTES = 1024 * 1024;
const NEWLINE = Buffer.from('\n');

/** Requests whose lines are read together, and where each line goes. */
interface Window {
  /** By slot: index of the request. */
  readonly requests: Uint32Array;
  /**
   * By slot: what precedes the line in place of its brace, or the whole line of a request without one. Null if lines
   * are copied as they are.
   */
  readonly heads: readonly Buffer[] | null;
  /** By slot: offset of the line in the content, behind its head. */
  readonly offsets: Float64Array;
}

export class OrderedLines {
  readonly #account: BulkAccount;
  readonly #files: LocalFiles;
  /** The bytes that were read last. It is reused, since lines are copied out of it. */
  #read = Buffer.alloc(0);

  constructor(account: BulkAccount, files: LocalFiles) {
    this.#account = account;
    this.#files = files;
  }

  /** The lines of the succeeded requests among these, in this order, as the provider wrote them. */
  succeeded(requests: Iterable<number>): AsyncGenerator<Uint8Array> {
    return this.#stream(requests, true);
  }

  /**
   * A line for each other request among these, in this order: its last one with its round and outcome, or a synthetic
   * one.
   */
  unsuccessful(requests: Iterable<number>): AsyncGenerator<Uint8Array> {
    return this.#stream(requests, false);
  }

  /** Reads one window ahead of what is written. */
  async *#stream(requests: Iterable<number>, areSucceeded: boolean): AsyncGenerator<Uint8Array> {
    let reading: Promise<ChunkedBuffer> | null = null;
    try {
      for (const window of this.#windows(requests, areSucceeded)) {
        const content: ChunkedBuffer | null = await reading;
        reading = this.#contentOf(window, areSucceeded);
        // It may reject before it is awaited.
        reading.catch(() => undefined);
        if (content) yield* content.drain();
      }
      if (reading) yield* (await reading).drain();
    } finally {
      // The caller may close the files as soon as this generator has returned.
      await reading?.catch(() => undefined);
    }
  }

  *#windows(requests: Iterable<number>, areSucceeded: boolean): Generator<Uint32Array> {
    let window = new Uint32Array(WINDOW_LINES);
    let lines = 0;
    let bytes = 0;
    for (const index of requests) {
      if ((this.#account.outcomes.outcomeOf(index) === 'succeeded') !== areSucceeded) continue;
      window[lines++] = index;
      bytes += this.#account.lengthOf(index);
      if (bytes < WINDOW_BYTES && lines < WINDOW_LINES) continue;
      yield window.subarray(0, lines);
      window = new Uint32Array(WINDOW_LINES);
      lines = 0;
      bytes = 0;
    }
    if (lines > 0) yield window.subarray(0, lines);
  }

  /** The lines of a window, each with its line break. */
  async #contentOf(requests: Uint32Array, areSucceeded: boolean): Promise<ChunkedBuffer> {
    const heads = areSucceeded ? null : Array.from(requests, (index) => this.#head(index));
    const offsets = new Float64Array(requests.length);
    let size = 0;
    for (let slot = 0; slot < requests.length; slot++) {
      const length = this.#account.lengthOf(requests[slot]!);
      const head = heads?.[slot]?.length ?? 0;
      offsets[slot] = size + head;
      // The head replaces the brace of the line.
      size += head + length - (head > 0 && length > 0 ? 1 : 0) + 1;
    }
    const content = new ChunkedBuffer(size);
    await this.#copyLines({ requests, heads, offsets }, content);
    heads?.forEach((head, slot) => content.set(offsets[slot]! - head.length, head, 0, head.length));
    for (let slot = 1; slot <= requests.length; slot++) {
      const end = slot === requests.length ? size : offsets[slot]! - (heads?.[slot]?.length ?? 0);
      content.set(end - 1, NEWLINE, 0, 1);
    }
    return content;
  }

  /** Reads the lines in the order of the files, and copies each to its offset. */
  async #copyLines({ requests, heads, offsets }: Window, content: ChunkedBuffer): Promise<void> {
    const { sections } = this.#account;
    const slots = this.#slotsInFileOrder(requests);
    const skipped = heads === null ? 0 : 1;
    const positionAt = (at: number): number => this.#account.positionOf(requests[slots[at]!]!);
    const lengthAt = (at: number): number => this.#account.lengthOf(requests[slots[at]!]!);
    let section = 0;
    let sectionEnd = 0;
    for (let first = 0; first < slots.length;) {
      const from = positionAt(first);
      if (from >= sectionEnd) {
        section = this.#account.sectionAt(from);
        sectionEnd = sections[section + 1]?.base ?? Infinity;
      }
      let to = from + lengthAt(first);
      let next = first + 1;
      for (; next < slots.length; next++) {
        const start = positionAt(next);
        const end = start + lengthAt(next);
        if (start - to > MAX_GAP_BYTES || end - from > MAX_READ_BYTES || start >= sectionEnd) break;
        to = end;
      }
      if (this.#read.length < to - from) this.#read = Buffer.allocUnsafeSlow(Math.max(to - from, MAX_READ_BYTES));
      const { file, base } = sections[section]!;
      await this.#files.readAt(file, from - base, this.#read.subarray(0, to - from));
      for (; first < next; first++) {
        const start = positionAt(first) - from;
        content.set(offsets[slots[first]!]!, this.#read, start + skipped, start + lengthAt(first));
      }
    }
  }

  /** The slots of the requests that have a line, by the position of their lines. */
  #slotsInFileOrder(requests: Uint32Array): Uint32Array {
    // Position and slot are packed into one number, which sorts without a comparator: that saves a twentieth of a
    // merge. Positions up to 2^39 bytes fit, since a double holds 53 bits.
    const packed = new Float64Array(requests.length);
    let count = 0;
    for (let slot = 0; slot < requests.length; slot++) {
      const index = requests[slot]!;
      if (this.#account.lengthOf(index) > 0) packed[count++] = this.#account.positionOf(index) * WINDOW_LINES + slot;
    }
    const sorted = packed.subarray(0, count).toSorted();
    const slots = new Uint32Array(count);
    for (let at = 0; at < count; at++) slots[at] = sorted[at]! % WINDOW_LINES;
    return slots;
  }

  /** Round and outcome to precede the request's line, in place of its brace; a whole line where there is none. */
  #head(index: number): Buffer {
    const { outcomes } = this.#account;
    const round = outcomes.roundOf(index);
    const outcome = outcomes.outcomeOf(index);
    if (this.#account.lengthOf(index) > 0) return Buffer.from(`{"round":${round},"outcome":"${outcome}",`);
    const failure = this.#account.failureOf(index);
    const error = failure ? { code: failure.type, message: failure.message } : syntheticError('missing');
    return Buffer.from(syntheticLine(outcomes.ids.at(index), error, { round, outcome }));
  }
}
