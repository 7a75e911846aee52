import type { FileRef } from '../contract/file-ref.js';
import type { WriteBackpressure } from '../jsonl/backpressure.js';
import { LineWriter } from '../jsonl/line-writer.js';
import type { Line } from '../jsonl/lines.js';

/** Writes the lines that cannot be read or attributed, as they are. The file begins with the first of them. */
export class LinesAside {
  readonly #write: (content: AsyncIterable<Uint8Array>) => Promise<FileRef>;
  readonly #backpressure: WriteBackpressure;
  #writer: LineWriter | null = null;

  constructor(write: (content: AsyncIterable<Uint8Array>) => Promise<FileRef>, backpressure: WriteBackpressure) {
    this.#write = write;
    this.#backpressure = backpressure;
  }

  /** Adds a line. Call `endBlock` after the last line of a block. */
  add(line: Line): void {
    // The bytes of a line that is too long have come as pieces.
    if (line.problem === 'tooLong') this.#open().addBytes(NO_BYTES);
    else this.#open().add(line);
  }

  /** Adds a part of a line that is too long; its end is added as a line. */
  addPiece(bytes: Buffer): void {
    this.#open().addPiece(bytes);
  }

  endBlock(): void {
    this.#writer?.endBlock();
  }

  /** Null if there was no line. */
  async finish(): Promise<FileRef | null> {
    return (await this.#writer?.finish()) ?? null;
  }

  /** Never rejects. */
  async abort(reason: unknown): Promise<void> {
    await this.#writer?.abort(reason);
  }

  #open(): LineWriter {
    return (this.#writer ??= new LineWriter(this.#write, this.#backpressure));
  }
}

const NO_BYTES = Buffer.alloc(0);
