import type { FileRef } from '../contract/file-ref.js';
import type { WriteBackpressure } from './backpressure.js';
import { STREAM_CHUNK_BYTES } from './chunked-buffer.js';
import type { Line } from './lines.js';

const NEWLINE = 10;
const LINE_END = Buffer.from('\n');

/** Writes a file while its lines arrive: they are collected into chunks, which storage takes at its own speed. */
export class LineWriter {
  readonly #backpressure: WriteBackpressure;
  readonly #written: Promise<FileRef>;
  readonly #chunks: Buffer[] = [];
  #chunk: Buffer | null = null;
  #used = 0;
  #isEnded = false;
  #aborted: { error: unknown } | null = null;
  #wake: (() => void) | null = null;
  /** Adjacent lines of a block are copied together: those from `#from` to `#to` are not copied yet. */
  #block: Buffer | null = null;
  #from = 0;
  #to = 0;

  /** @param write writes the file completely or not at all */
  constructor(write: (content: AsyncIterable<Uint8Array>) => Promise<FileRef>, backpressure: WriteBackpressure) {
    this.#backpressure = backpressure;
    this.#written = write(this.#content());
    void this.#watch();
  }

  /** Adds a line. Call `endBlock` after the last line of a block. */
  add({ block, start, end }: Line): void {
    if (block !== this.#block || start !== this.#to + 1 || block[this.#to] !== NEWLINE) {
      this.endBlock();
      this.#block = block;
      this.#from = start;
    }
    this.#to = end;
  }

  /** Adds a line that is not part of a block. */
  addBytes(bytes: Buffer): void {
    this.endBlock();
    this.#append(bytes, 0, bytes.length);
    this.#append(LINE_END, 0, 1);
  }

  /** Adds bytes as they are; the caller adds the line break. */
  addPiece(bytes: Buffer): void {
    this.endBlock();
    this.#append(bytes, 0, bytes.length);
  }

  /** Copies the lines of the block that are not copied yet; the block may be reused after that. */
  endBlock(): void {
    if (this.#block === null) return;
    this.#append(this.#block, this.#from, this.#to);
    this.#append(LINE_END, 0, 1);
    this.#block = null;
  }

  /** Ends the file; rejects if storage fails. */
  async finish(): Promise<FileRef> {
    this.endBlock();
    this.#flush();
    this.#isEnded = true;
    this.#wakeUp();
    return this.#written;
  }

  /** Aborts the file, so that nothing is left of it. Never rejects. */
  async abort(reason: unknown): Promise<void> {
    this.#aborted ??= { error: reason };
    this.#wakeUp();
    await Promise.allSettled([this.#written]);
  }

  /** Reports a failure before the end, so that the reader stops early. */
  async #watch(): Promise<void> {
    try {
      const { uri } = await this.#written;
      if (!this.#isEnded) throw new Error(`storage reported ${uri} complete before all lines were written`);
    } catch (error) {
      if (!this.#aborted) this.#backpressure.fail(error);
    }
  }

  #append(bytes: Buffer, from: number, to: number): void {
    for (let at = from; at < to;) {
      this.#chunk ??= Buffer.allocUnsafeSlow(STREAM_CHUNK_BYTES);
      const step = bytes.copy(this.#chunk, this.#used, at, to);
      this.#used += step;
      at += step;
      if (this.#used === STREAM_CHUNK_BYTES) this.#flush();
    }
  }

  #flush(): void {
    if (this.#chunk === null) return;
    this.#chunks.push(this.#chunk.subarray(0, this.#used));
    this.#backpressure.add(this.#used);
    this.#chunk = null;
    this.#used = 0;
    this.#wakeUp();
  }

  async *#content(): AsyncGenerator<Uint8Array> {
    try {
      while (true) {
        if (this.#aborted) throw this.#aborted.error;
        const chunk = this.#chunks.shift();
        if (chunk) {
          this.#backpressure.remove(chunk.length);
          yield chunk;
        } else if (this.#isEnded) return;
        else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      }
    } finally {
      for (const chunk of this.#chunks.splice(0)) this.#backpressure.remove(chunk.length);
    }
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = null;
  }
}
