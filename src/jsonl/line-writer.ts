import type { FileRef } from '../contract/file-ref.js';
import type { WriteBackpressure } from './backpressure.js';
import type { Line } from './lines.js';

/** Storage takes pieces of this size as they are. */
export const PIECE = 256 * 1024;
const NEWLINE = 10;
const LINE_END = Buffer.from('\n');

/** A file that is written while its lines come: they are gathered into pieces, and pieces are handed to storage as it takes them. */
export class LineWriter {
  readonly #backlog: WriteBackpressure;
  readonly #written: Promise<FileRef>;
  readonly #pieces: Buffer[] = [];
  #piece: Buffer | null = null;
  #used = 0;
  #isEnded = false;
  #aborted: { error: unknown } | null = null;
  #wake: (() => void) | null = null;
  /** Lines of a block that follow each other are copied in one go: up to where they are gathered. */
  #block: Buffer | null = null;
  #from = 0;
  #to = 0;

  /** @param write writes the file, all or nothing */
  constructor(write: (content: AsyncIterable<Uint8Array>) => Promise<FileRef>, backlog: WriteBackpressure) {
    this.#backlog = backlog;
    this.#written = write(this.#content());
    void this.#watch();
  }

  /** Adds a line. Blocks of lines must be followed by `endBlock`. */
  add({ block, start, end }: Line): void {
    if (block !== this.#block || start !== this.#to + 1 || block[this.#to] !== NEWLINE) {
      this.endBlock();
      this.#block = block;
      this.#from = start;
    }
    this.#to = end;
  }

  /** Adds a line that was made. */
  addMade(bytes: Buffer): void {
    this.endBlock();
    this.#append(bytes, 0, bytes.length);
    this.#append(LINE_END, 0, 1);
  }

  /** Copies what is gathered of the block, which need not be kept after that. */
  endBlock(): void {
    if (this.#block === null) return;
    this.#append(this.#block, this.#from, this.#to);
    this.#append(LINE_END, 0, 1);
    this.#block = null;
  }

  /** Ends the file; rejects where storage cannot keep it. */
  async finish(): Promise<FileRef> {
    this.endBlock();
    this.#flush();
    this.#isEnded = true;
    this.#wakeUp();
    return this.#written;
  }

  /** Gives the file up: nothing is left of it. Never rejects. */
  async abort(reason: unknown): Promise<void> {
    this.#aborted ??= { error: reason };
    this.#wakeUp();
    await Promise.allSettled([this.#written]);
  }

  /** What goes wrong before the end is told at once, to whoever reads on. */
  async #watch(): Promise<void> {
    try {
      const { uri } = await this.#written;
      if (!this.#isEnded) throw new Error(`${uri} was taken for written before its end`);
    } catch (error) {
      if (!this.#aborted) this.#backlog.fail(error);
    }
  }

  #append(bytes: Buffer, from: number, to: number): void {
    for (let at = from; at < to;) {
      this.#piece ??= Buffer.allocUnsafeSlow(PIECE);
      const step = bytes.copy(this.#piece, this.#used, at, to);
      this.#used += step;
      at += step;
      if (this.#used === PIECE) this.#flush();
    }
  }

  #flush(): void {
    if (this.#piece === null) return;
    this.#pieces.push(this.#piece.subarray(0, this.#used));
    this.#backlog.add(this.#used);
    this.#piece = null;
    this.#used = 0;
    this.#wakeUp();
  }

  async *#content(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        if (this.#aborted) throw this.#aborted.error;
        const piece = this.#pieces.shift();
        if (piece) {
          this.#backlog.remove(piece.length);
          yield piece;
        } else if (this.#isEnded) return;
        else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      }
    } finally {
      for (const piece of this.#pieces.splice(0)) this.#backlog.remove(piece.length);
    }
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = null;
  }
}
