import { isAscii, isUtf8 } from 'node:buffer';
import { MAX_LINE_BYTES, MAX_RESULT_LINE_BYTES } from '../contract/limits.js';

const NEWLINE = 10;
const RETURN = 13;

/** A JSONL file, on whatever storage. */
export interface LineSource {
  readonly uri: string;
  /** Opens the (decompressed) content from its start; it must be the same each time. */
  readonly open: () => AsyncIterable<Uint8Array>;
}

/** A line that is not blank. Its bytes belong to the block that it came with. */
export interface Line {
  /** From 1; blank lines count. */
  readonly number: number;
  /** Why the line has no text, or null. Of a line that is too long, only the length is known. */
  readonly problem: 'tooLong' | 'notUtf8' | null;
  /** Length without the line break. */
  readonly byteLength: number;
  /** Offset of the line in the file, behind a byte order mark. */
  readonly offset: number;
  /** The line without its line break and byte order mark; empty when it is too long. */
  readonly bytes: Buffer;
  /** The buffer that contains the line from `start` to `end`, among other lines. Reading it costs less than `bytes`. */
  readonly block: Buffer;
  readonly start: number;
  readonly end: number;
  /** Decoded on each access; empty when there is a problem. */
  readonly text: string;
}

export interface LineOptions {
  /**
   * Of a longer line only the length is reported; it is never kept in memory.
   *
   * @default MAX_LINE_BYTES
   */
  readonly lineBytes?: number;
  /** Receives the bytes of a line that is too long, piece by piece, before the line itself is reported. */
  readonly onTooLong?: (piece: Buffer) => void;
}

/** For result files: a line is an answer that was paid for, however long it is. */
export const RESULT_LINES: LineOptions = { lineBytes: MAX_RESULT_LINE_BYTES };

/**
 * Splits bytes into lines. Yields the lines that each chunk completed as an array, since an `await` per line would cost
 * more than parsing it. Accepts LF and CRLF, a byte order mark, and a last line without a line break. Memory is bounded
 * by the chunk and the longest line allowed.
 */
export async function* lineBlocks(
  source: AsyncIterable<Uint8Array>,
  options: LineOptions = {},
): AsyncGenerator<Line[]> {
  const splitter = new LineSplitter(options.lineBytes ?? MAX_LINE_BYTES, options.onTooLong);
  for await (const chunk of source) {
    const lines = splitter.push(chunk);
    // While pieces of a line are received, the caller may have to wait for storage.
    if (lines.length > 0 || splitter.isReportingPieces) yield lines;
  }
  const lines = splitter.end();
  if (lines.length > 0) yield lines;
}

/** The splitter behind `lineBlocks`, for callers that iterate over the chunks themselves. */
export class LineSplitter {
  readonly #lineBytes: number;
  readonly #onTooLong: ((piece: Buffer) => void) | undefined;
  readonly #rest = new GrowingBuffer();
  /** Length so far of a line that is too long, or 0. */
  #overlong = 0;
  /** Length of the byte order mark before it. */
  #markLength = 0;
  /** Whether the last byte kept is a carriage return, which may belong to the line break. */
  #endsInReturn = false;
  #number = 0;
  /** Offset of the next line in the file. */
  #offset = 0;

  constructor(lineBytes: number, onTooLong?: (piece: Buffer) => void) {
    this.#lineBytes = lineBytes;
    this.#onTooLong = onTooLong;
  }

  /** Whether the current line is reported in pieces. */
  get isReportingPieces(): boolean {
    return this.#overlong > 0 && this.#onTooLong !== undefined;
  }

  push(chunk: Uint8Array): Line[] {
    const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const lines: Line[] = [];
    const last = buffer.lastIndexOf(NEWLINE);
    if (last === -1) {
      this.#keep(buffer);
      return lines;
    }
    let start = 0;
    if (this.#rest.length > 0 || this.#overlong > 0) {
      const first = buffer.indexOf(NEWLINE);
      this.#keep(buffer.subarray(0, first));
      this.#finish(lines);
      start = first + 1;
    }
    if (start <= last) this.#split(buffer.subarray(start, last + 1), lines);
    this.#keep(buffer.subarray(last + 1));
    return lines;
  }

  /** Returns the last line, if it had no line break. */
  end(): Line[] {
    const lines: Line[] = [];
    if (this.#rest.length > 0 || this.#overlong > 0) this.#finish(lines);
    return lines;
  }

  /** Adds complete lines, each with its line break. */
  #split(block: Buffer, lines: Line[]): void {
    const encoding = encodingOf(block);
    for (let start = 0; start < block.length;) {
      const end = block.indexOf(NEWLINE, start);
      this.#line(block, start, end, encoding, lines);
      start = end + 1;
    }
  }

  /** Adds the line that came in several chunks. */
  #finish(lines: Line[]): void {
    if (this.#overlong > 0) {
      const length = this.#overlong - (this.#endsInReturn ? 1 : 0);
      const offset = this.#offset + this.#markLength;
      lines.push(new TextLine(++this.#number, 'tooLong', offset, NO_BYTES, 0, 0, true, length));
      this.#offset = offset + this.#overlong + 1;
      this.#overlong = 0;
      this.#markLength = 0;
      return;
    }
    const block = this.#rest.take();
    this.#line(block, 0, block.length, encodingOf(block), lines);
  }

  #line(block: Buffer, from: number, to: number, encoding: Encoding, lines: Line[]): void {
    const number = ++this.#number;
    let start = from;
    let end = to;
    const base = this.#offset - from;
    this.#offset = base + to + 1;
    if (number === 1 && hasByteOrderMark(block, start, end)) start += 3;
    if (end > start && block[end - 1] === RETURN) end--;
    const length = end - start;
    if (length > this.#lineBytes) {
      this.#onTooLong?.(block.subarray(start, end));
      lines.push(new TextLine(number, 'tooLong', base + start, NO_BYTES, 0, 0, true, length));
    } else if (!isBlank(block, start, end)) {
      const isValid = encoding !== 'other' || isUtf8(block.subarray(start, end));
      const problem = isValid ? null : 'notUtf8';
      lines.push(new TextLine(number, problem, base + start, block, start, end, encoding === 'ascii', length));
    }
  }

  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    if (this.#overlong > 0) {
      this.#onTooLong?.(bytes);
      this.#overlong += bytes.length;
    } else if (this.#rest.length + bytes.length > this.#lineBytes + MARK_AND_RETURN_BYTES) {
      this.#overlong = this.#rest.length + bytes.length;
      const rest = this.#rest.take();
      this.#onTooLong?.(rest);
      this.#onTooLong?.(bytes);
      const start = Buffer.concat([rest.subarray(0, 3), bytes.subarray(0, 3)]);
      if (this.#number === 0 && hasByteOrderMark(start, 0, start.length)) {
        this.#markLength = 3;
        this.#overlong -= 3;
      }
    } else {
      this.#rest.append(bytes);
    }
    this.#endsInReturn = bytes[bytes.length - 1] === RETURN;
  }
}

/** Bytes of a byte order mark and a carriage return, which do not count for the length of a line. */
const MARK_AND_RETURN_BYTES = 4;
const NO_BYTES = Buffer.alloc(0);

type Encoding = 'ascii' | 'utf8' | 'other';

/** Checked once for a whole block: both checks run at memory speed, and ASCII decodes much faster than UTF-8. */
function encodingOf(block: Buffer): Encoding {
  if (isAscii(block)) return 'ascii';
  return isUtf8(block) ? 'utf8' : 'other';
}

function hasByteOrderMark(block: Buffer, start: number, end: number): boolean {
  return end - start >= 3 && block[start] === 0xef && block[start + 1] === 0xbb && block[start + 2] === 0xbf;
}

function isBlank(block: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = block[at]!;
    if (byte !== 32 && byte !== 9 && byte !== RETURN) return false;
  }
  return true;
}

class TextLine implements Line {
  readonly number: number;
  readonly problem: Line['problem'];
  readonly offset: number;
  readonly byteLength: number;
  readonly block: Buffer;
  readonly start: number;
  readonly end: number;
  readonly #isAscii: boolean;

  constructor(
    number: number,
    problem: Line['problem'],
    offset: number,
    block: Buffer,
    start: number,
    end: number,
    ascii: boolean,
    byteLength: number,
  ) {
    this.number = number;
    this.problem = problem;
    this.offset = offset;
    this.byteLength = byteLength;
    this.block = block;
    this.start = start;
    this.end = end;
    this.#isAscii = ascii;
  }

  get bytes(): Buffer {
    return this.block.subarray(this.start, this.end);
  }

  get text(): string {
    if (this.problem !== null) return '';
    return this.block.toString(this.#isAscii ? 'latin1' : 'utf8', this.start, this.end);
  }
}

/** Collects the pieces of a line by copying them: a piece itself would keep the whole chunk in memory. */
class GrowingBuffer {
  length = 0;
  #bytes = NO_BYTES;

  append(piece: Buffer): void {
    const needed = this.length + piece.length;
    if (needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2, 4_096));
      this.#bytes.copy(grown, 0, 0, this.length);
      this.#bytes = grown;
    }
    piece.copy(this.#bytes, this.length);
    this.length = needed;
  }

  /** Returns the content; the next piece begins a new buffer. */
  take(): Buffer {
    const content = this.#bytes.subarray(0, this.length);
    this.clear();
    return content;
  }

  clear(): void {
    this.#bytes = NO_BYTES;
    this.length = 0;
  }
}
