import type { FileRef } from '../jobs/file-ref.js';
import type { Part, PartHead, PartLimits } from './split-requests.js';

const PIECE = 256 * 1024;
/** Pieces that may wait for a slow storage before the reader waits too. */
const MAX_WAITING = 4;

/** One part while it is written: lines are gathered into pieces, and pieces are handed to storage as it takes them. */
export class PartWriter {
  readonly #head: PartHead;
  readonly #written: Promise<FileRef>;
  readonly #pieces: Buffer[] = [];
  #piece = Buffer.allocUnsafe(PIECE);
  #used = 0;
  #isEnded = false;
  #failure: unknown;
  #wakeReader: () => void = () => undefined;
  #wakeWriter: () => void = () => undefined;
  #bytes = 0;
  #requests = 0;
  #embeddingInputs = 0;

  constructor(head: PartHead, write: (head: PartHead, content: AsyncIterable<Uint8Array>) => Promise<FileRef>) {
    this.#head = head;
    this.#written = write(head, this.#content());
    this.#written.catch((error: unknown) => {
      this.#failure = error;
      this.#wakeWriter();
    });
  }

  hasRoom(bytes: number, embeddingInputs: number, limits: PartLimits): boolean {
    return (
      this.#requests < limits.requests &&
      this.#bytes + bytes <= limits.bytes &&
      this.#embeddingInputs + embeddingInputs <= limits.embeddingInputs &&
      tokensOf(this.#bytes + bytes) <= (limits.estimatedTokens ?? Infinity)
    );
  }

  /** Adds a line; `addition` is put in after its first brace. */
  add(addition: string, line: Buffer, embeddingInputs: number): void {
    if (addition !== '') {
      const brace = line.indexOf('{') + 1;
      const isEmpty = line.subarray(brace).toString('latin1').trimStart().startsWith('}');
      this.#append(Buffer.from(`{${addition}${isEmpty ? '' : ','}`));
      this.#append(line.subarray(brace));
    } else this.#append(line);
    this.#append(NEWLINE);
    this.#requests += 1;
    this.#embeddingInputs += embeddingInputs;
  }

  /** Resolves when storage has caught up; rejects when it failed. */
  async drained(): Promise<void> {
    while (this.#pieces.length > MAX_WAITING && this.#failure === undefined) {
      await new Promise<void>((resolve) => {
        this.#wakeWriter = resolve;
      });
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  async finish(): Promise<Part> {
    this.#flush();
    this.#isEnded = true;
    this.#wakeReader();
    return {
      ...this.#head,
      file: await this.#written,
      requests: this.#requests,
      embeddingInputs: this.#embeddingInputs,
      estimatedTokens: tokensOf(this.#bytes),
    };
  }

  abort(error: unknown): void {
    this.#failure ??= error;
    this.#wakeReader();
  }

  #append(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    for (let at = 0; at < bytes.length;) {
      const step = Math.min(bytes.length - at, PIECE - this.#used);
      this.#piece.set(bytes.subarray(at, at + step), this.#used);
      this.#used += step;
      at += step;
      if (this.#used === PIECE) this.#flush();
    }
  }

  #flush(): void {
    if (this.#used === 0) return;
    this.#pieces.push(this.#piece.subarray(0, this.#used));
    this.#piece = Buffer.allocUnsafe(PIECE);
    this.#used = 0;
    this.#wakeReader();
  }

  async *#content(): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const piece = this.#pieces.shift();
      this.#wakeWriter();
      if (piece) yield piece;
      else if (this.#isEnded) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wakeReader = resolve;
        });
      }
    }
  }
}

const NEWLINE = Buffer.from('\n');

/** A rough guess: one token for four bytes. */
const tokensOf = (bytes: number): number => Math.ceil(bytes / 4);
