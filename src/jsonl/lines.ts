import { isAscii, isUtf8 } from 'node:buffer';
import { BATCH_LIMITS } from '../contract/limits.js';

const NEWLINE = 10;
const RETURN = 13;

/** One line that is not blank. Its bytes belong to the block that it came with. */
export interface Line {
  /** From 1; blank lines count. */
  readonly number: number;
  /** Why the line has no text, or null. Of a line that is too long only the length is known. */
  readonly problem: 'tooLong' | 'notUtf8' | null;
  /** Length without the line break. */
  readonly byteLength: number;
  /** Where the line begins in the file, behind a byte order mark. */
  readonly offset: number;
  /** The line without its line break and without a byte order mark; empty when it is too long. */
  readonly bytes: Buffer;
  /** The bytes that hold the line, from `start` up to `end`, and other lines beside it. To look at it so costs less than `bytes`. */
  readonly block: Buffer;
  readonly start: number;
  readonly end: number;
  /** Decoded anew on each access; empty when there is a problem. */
  readonly text: string;
}

export interface LineOptions {
  /** A longer line is reported by its length and never held. Default: `BATCH_LIMITS.lineBytes`. */
  lineBytes?: number;
}

/**
 * Splits bytes into lines, as arrays of those that each chunk completed: an `await` per line would cost more than parsing it.
 * Takes LF and CRLF, a byte order mark, and a last line without line break. Memory is bounded by the chunk and the longest line allowed.
 */
export async function* lineBlocks(
  source: AsyncIterable<Uint8Array>,
  options: LineOptions = {},
): AsyncGenerator<Line[]> {
  const splitter = new LineSplitter(options.lineBytes ?? BATCH_LIMITS.lineBytes);
  for await (const chunk of source) {
    const lines = splitter.push(chunk);
    if (lines.length > 0) yield lines;
  }
  const lines = splitter.end();
  if (lines.length > 0) yield lines;
}

/** The splitter behind `lineBlocks`, for callers that have the chunks in hand. */
export class LineSplitter {
  readonly #lineBytes: number;
  readonly #rest = new GrowingBuffer();
  /** Length of the line that is being passed over, or 0. */
  #overlong = 0;
  /** Length of the byte order mark that stands before it. */
  #markLength = 0;
  /** Whether the last byte kept is a carriage return, which may belong to the line break. */
  #endsInReturn = false;
  #number = 0;
  /** Where the next line begins in the file. */
  #offset = 0;

  constructor(lineBytes: number) {
    this.#lineBytes = lineBytes;
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

  /** The last line, if it had no line break. */
  end(): Line[] {
    const lines: Line[] = [];
    if (this.#rest.length > 0 || this.#overlong > 0) this.#finish(lines);
    return lines;
  }

  /** Takes whole lines, each with its line break. */
  #split(block: Buffer, lines: Line[]): void {
    const encoding = encodingOf(block);
    for (let start = 0; start < block.length;) {
      const end = block.indexOf(NEWLINE, start);
      this.#line(block, start, end, encoding, lines);
      start = end + 1;
    }
  }

  /** Takes the line that came in several chunks. */
  #finish(lines: Line[]): void {
    if (this.#overlong > 0) {
      const length = this.#overlong - (this.#endsInReturn ? 1 : 0);
      const offset = this.#offset + this.#markLength;
      lines.push(new TextLine(++this.#number, 'tooLong', offset, NOTHING, 0, 0, true, length));
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
      lines.push(new TextLine(number, 'tooLong', base + start, NOTHING, 0, 0, true, length));
    } else if (!isBlank(block, start, end)) {
      const isValid = encoding !== 'other' || isUtf8(block.subarray(start, end));
      const problem = isValid ? null : 'notUtf8';
      lines.push(new TextLine(number, problem, base + start, block, start, end, encoding === 'ascii', length));
    }
  }

  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    if (this.#overlong > 0) {
      this.#overlong += bytes.length;
    } else if (this.#rest.length + bytes.length > this.#lineBytes + BREAK_AND_MARK) {
      this.#overlong = this.#rest.length + bytes.length;
      const start = Buffer.concat([this.#rest.take().subarray(0, 3), bytes.subarray(0, 3)]);
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

/** A line may be this much longer while it still has its byte order mark and carriage return. */
const BREAK_AND_MARK = 4;
const NOTHING = Buffer.alloc(0);

type Encoding = 'ascii' | 'utf8' | 'other';

/** Asked once for a whole block: both checks run at memory speed, and ASCII decodes much faster than UTF-8. */
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

/** Gathers the pieces of a line by copying: keeping the pieces themselves would keep the chunks that they were cut from. */
class GrowingBuffer {
  length = 0;
  #bytes = NOTHING;

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

  /** The content; the next piece begins a new buffer. */
  take(): Buffer {
    const content = this.#bytes.subarray(0, this.length);
    this.clear();
    return content;
  }

  clear(): void {
    this.#bytes = NOTHING;
    this.length = 0;
  }
}
