import type { FileRef } from '../jobs/file-ref.js';
import type { Line } from '../jsonl/lines.js';
import type { Backlog } from './backlog.js';
import { PIECE } from './pieces.js';
import type { Part, PartHead, PartLimits } from './split-requests.js';

const NEWLINE = 10;

/** One part while it is written: lines are gathered into pieces, and pieces are handed to storage as it takes them. */
export class PartWriter {
  readonly #head: PartHead;
  readonly #backlog: Backlog;
  readonly #written: Promise<FileRef>;
  readonly #pieces: Buffer[] = [];
  #piece: Buffer | null = null;
  #used = 0;
  #isEnded = false;
  #aborted: { error: unknown } | null = null;
  #wake: (() => void) | null = null;
  #bytes = 0;
  #requests = 0;
  #embeddingInputs = 0;
  /** Lines of a block that follow each other are copied in one go: up to where they are gathered. */
  #block: Buffer | null = null;
  #from = 0;
  #to = 0;

  constructor(
    head: PartHead,
    write: (head: PartHead, content: AsyncIterable<Uint8Array>) => Promise<FileRef>,
    backlog: Backlog,
  ) {
    this.#head = head;
    this.#backlog = backlog;
    this.#written = write(head, this.#content());
    void this.#watch();
  }

  /** Whether a line of so many bytes, its line break counted, can go into the part. */
  hasRoom(bytes: number, embeddingInputs: number, limits: PartLimits): boolean {
    return (
      this.#requests < limits.requests &&
      this.#bytes + bytes <= limits.bytes &&
      this.#embeddingInputs + embeddingInputs <= limits.embeddingInputs &&
      tokensOf(this.#bytes + bytes) <= (limits.estimatedTokens ?? Infinity)
    );
  }

  /** Adds a line. Blocks of lines must be followed by `endBlock`. */
  add(line: Line, embeddingInputs: number): void {
    const { block, start, end } = line;
    if (block !== this.#block || start !== this.#to + 1 || block[this.#to] !== NEWLINE) {
      this.endBlock();
      this.#block = block;
      this.#from = start;
    }
    this.#to = end;
    this.#count(line.byteLength + 1, embeddingInputs);
  }

  /** Adds a line that was made. */
  addMade(bytes: Buffer, embeddingInputs: number): void {
    this.endBlock();
    this.#append(bytes, 0, bytes.length);
    this.#append(LINE_END, 0, 1);
    this.#count(bytes.length + 1, embeddingInputs);
  }

  /** Copies what is gathered of the block, which need not be kept after that. */
  endBlock(): void {
    if (this.#block === null) return;
    this.#append(this.#block, this.#from, this.#to);
    this.#append(LINE_END, 0, 1);
    this.#block = null;
  }

  /** Ends the part; rejects where storage cannot keep it. */
  async finish(): Promise<Part> {
    this.endBlock();
    this.#flush();
    this.#isEnded = true;
    this.#wakeUp();
    return {
      ...this.#head,
      file: await this.#written,
      requests: this.#requests,
      embeddingInputs: this.#embeddingInputs,
      estimatedTokens: tokensOf(this.#bytes),
    };
  }

  /** Gives the part up: nothing is left of it. Never rejects. */
  async abort(reason: unknown): Promise<void> {
    this.#aborted ??= { error: reason };
    this.#wakeUp();
    await Promise.allSettled([this.#written]);
  }

  /** What goes wrong before the end is told at once, to whoever reads on. */
  async #watch(): Promise<void> {
    try {
      await this.#written;
      if (!this.#isEnded) throw new Error(`part ${this.#head.number} was taken for written before its end`);
    } catch (error) {
      if (!this.#aborted) this.#backlog.fail(error);
    }
  }

  #count(bytes: number, embeddingInputs: number): void {
    this.#bytes += bytes;
    this.#requests += 1;
    this.#embeddingInputs += embeddingInputs;
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

const LINE_END = Buffer.from('\n');

/** A rough guess: one token for four bytes. */
export const tokensOf = (bytes: number): number => Math.ceil(bytes / 4);
