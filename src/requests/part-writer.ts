import type { FileRef } from '../contract/file-ref.js';
import type { WriteBackpressure } from '../jsonl/backpressure.js';
import { LineWriter } from '../jsonl/line-writer.js';
import type { Line } from '../jsonl/lines.js';
import type { Part, PartHead } from '../contract/part.js';
import type { PartLimits } from './split.js';

/** One part while it is written, with the account of what is in it. */
export class PartWriter {
  readonly #head: PartHead;
  readonly #lines: LineWriter;
  #bytes = 0;
  #requests = 0;
  #embeddingInputs = 0;

  constructor(
    head: PartHead,
    write: (head: PartHead, content: AsyncIterable<Uint8Array>) => Promise<FileRef>,
    backlog: WriteBackpressure,
  ) {
    this.#head = head;
    this.#lines = new LineWriter((content) => write(head, content), backlog);
  }

  /** Whether a line of so many bytes, its line break counted, can go into the part. */
  fits(bytes: number, embeddingInputs: number, limits: PartLimits): boolean {
    return (
      this.#requests < limits.requests &&
      this.#bytes + bytes <= limits.bytes &&
      this.#embeddingInputs + embeddingInputs <= limits.embeddingInputs &&
      tokensOf(this.#bytes + bytes) <= (limits.estimatedTokens ?? Infinity)
    );
  }

  /** Adds a line. Blocks of lines must be followed by `endBlock`. */
  add(line: Line, embeddingInputs: number): void {
    this.#lines.add(line);
    this.#count(line.byteLength + 1, embeddingInputs);
  }

  /** Adds a line that was made. */
  addMade(bytes: Buffer, embeddingInputs: number): void {
    this.#lines.addMade(bytes);
    this.#count(bytes.length + 1, embeddingInputs);
  }

  endBlock(): void {
    this.#lines.endBlock();
  }

  /** Ends the part; rejects where storage cannot keep it. */
  async finish(): Promise<Part> {
    return {
      ...this.#head,
      file: await this.#lines.finish(),
      requests: this.#requests,
      embeddingInputs: this.#embeddingInputs,
      estimatedTokens: tokensOf(this.#bytes),
    };
  }

  /** Gives the part up: nothing is left of it. Never rejects. */
  abort(reason: unknown): Promise<void> {
    return this.#lines.abort(reason);
  }

  #count(bytes: number, embeddingInputs: number): void {
    this.#bytes += bytes;
    this.#requests += 1;
    this.#embeddingInputs += embeddingInputs;
  }
}

/** A rough guess: one token for four bytes. */
export const tokensOf = (bytes: number): number => Math.ceil(bytes / 4);
