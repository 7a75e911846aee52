import type { FileRef } from '../contract/file-ref.js';
import type { WriteBackpressure } from '../jsonl/backpressure.js';
import { grown } from '../jsonl/id-table.js';
import { LineWriter } from '../jsonl/line-writer.js';
import { type Line, lineBlocks, RESULT_LINES } from '../jsonl/lines.js';

/** A file that is written, and then read once. */
export interface TemporaryFile {
  readonly write: (content: AsyncIterable<Uint8Array>) => Promise<FileRef>;
  readonly read: () => AsyncIterable<Uint8Array>;
}

/**
 * Keeps the lines of requests without a success in a temporary file until all results are read: only then is it known
 * which of them count, and there may be too many for memory. Memory: four bytes for each request.
 */
export class UnsuccessfulLines {
  readonly #file: TemporaryFile;
  readonly #backpressure: WriteBackpressure;
  #writer: LineWriter | null = null;
  #written: FileRef | null = null;
  #count = 0;
  /** By index of the request: number of its last line in the file, from 1. */
  #lineNumbers: Uint32Array<ArrayBuffer> = new Uint32Array(64);

  constructor(file: TemporaryFile, backpressure: WriteBackpressure) {
    this.#file = file;
    this.#backpressure = backpressure;
  }

  /**
   * Adds a line, which replaces the former one of the request. Call `endBlock` after the last line of a block.
   *
   * @param bytes what is written in place of the line, if not null
   */
  add(index: number, line: Line, bytes: Buffer | null): void {
    this.#writer ??= new LineWriter(this.#file.write, this.#backpressure);
    if (bytes === null) this.#writer.add(line);
    else this.#writer.addBytes(bytes);
    this.#count += 1;
    this.#lineNumbers = grown(this.#lineNumbers, index + 1);
    this.#lineNumbers[index] = this.#count;
  }

  endBlock(): void {
    this.#writer?.endBlock();
  }

  async finish(): Promise<void> {
    this.#written = (await this.#writer?.finish()) ?? null;
  }

  /** Never rejects. */
  async abort(reason: unknown): Promise<void> {
    await this.#writer?.abort(reason);
  }

  /**
   * Reads the last line of each request back, unless it succeeded after all.
   *
   * @param setAside receives each block's other lines
   */
  async *read(
    hasSucceeded: (index: number) => boolean,
    setAside: (lines: readonly Line[]) => Promise<void>,
  ): AsyncGenerator<Uint8Array> {
    if (this.#written === null) return;
    const isWanted = new Uint8Array(this.#count + 1);
    this.#lineNumbers.forEach((number, index) => {
      if (number > 0 && !hasSucceeded(index)) isWanted[number] = 1;
    });
    let bytesRead = 0;
    const counting = async function* (content: AsyncIterable<Uint8Array>) {
      for await (const chunk of content) {
        bytesRead += chunk.byteLength;
        yield chunk;
      }
    };
    for await (const lines of lineBlocks(counting(this.#file.read()), RESULT_LINES)) {
      const wanted = lines.filter((line) => isWanted[line.number] === 1);
      if (wanted.length < lines.length) await setAside(lines.filter((line) => isWanted[line.number] !== 1));
      if (wanted.length > 0) yield joined(wanted);
    }
    // Line numbers are only valid for the file that was written.
    const { uri, bytes } = this.#written;
    if (bytesRead !== bytes) {
      throw new Error(`${uri} had ${bytes} bytes when it was written and ${bytesRead} when read again`);
    }
  }
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
