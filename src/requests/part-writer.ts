import type { FileRef } from '../contract/file-ref.js';
import { estimatedTokensOf } from '../contract/limits.js';
import type { Part, PartHead } from '../contract/part.js';
import type { WriteBackpressure } from '../jsonl/backpressure.js';
import { LineWriter } from '../jsonl/line-writer.js';
import type { Line } from '../jsonl/lines.js';
import type { CheckedRequest } from './check-request.js';

/** What one part may contain at most. */
export interface PartLimits {
  readonly requests: number;
  readonly bytes: number;
  readonly embeddingInputs: number;
  /**
   * Prompt tokens by a rough estimate.
   *
   * @default Infinity
   */
  readonly estimatedTokens?: number;
  /** The same for single models. */
  readonly tokensByModel?: ReadonlyMap<string, number>;
  /** The same for parts of more than one request: a larger request gets a part to itself. */
  readonly sharedTokensByModel?: ReadonlyMap<string, number>;
  /** Size of one line, in bytes. */
  readonly lineBytes: number;
}

/** Writes one part and counts what is in it. */
export class PartWriter {
  readonly #head: PartHead;
  readonly #lines: LineWriter;
  #bytes = 0;
  #promptBytes = 0;
  #requests = 0;
  #embeddingInputs = 0;

  constructor(
    head: PartHead,
    write: (head: PartHead, content: AsyncIterable<Uint8Array>) => Promise<FileRef>,
    backpressure: WriteBackpressure,
  ) {
    this.#head = head;
    this.#lines = new LineWriter((content) => write(head, content), backpressure);
  }

  /** Whether the part can take the request without exceeding a limit. */
  fits(request: CheckedRequest, line: Line, limits: PartLimits): boolean {
    const bytes = this.#bytes + bytesOf(request, line);
    return (
      this.#requests < limits.requests &&
      bytes <= limits.bytes &&
      this.#embeddingInputs + request.embeddingInputs <= limits.embeddingInputs &&
      estimatedTokensOf(this.#promptBytes + request.promptBytes) <= maxTokens(limits, this.#head.model)
    );
  }

  /** Adds a request. Call `endBlock` after the last line of a block. */
  add(request: CheckedRequest, line: Line): void {
    if (request.completed === null) this.#lines.add(line);
    else this.#lines.addBytes(request.completed);
    this.#bytes += bytesOf(request, line);
    this.#promptBytes += request.promptBytes;
    this.#requests += 1;
    this.#embeddingInputs += request.embeddingInputs;
  }

  endBlock(): void {
    this.#lines.endBlock();
  }

  /** Ends the part; rejects if storage fails. */
  async finish(): Promise<Part> {
    return {
      ...this.#head,
      file: await this.#lines.finish(),
      requests: this.#requests,
      embeddingInputs: this.#embeddingInputs,
      estimatedTokens: estimatedTokensOf(this.#promptBytes),
    };
  }

  /** Aborts the part, so that nothing is left of it. Never rejects. */
  abort(reason: unknown): Promise<void> {
    return this.#lines.abort(reason);
  }
}

/** Tokens of a part of this model that has more than one request. */
function maxTokens({ estimatedTokens, tokensByModel, sharedTokensByModel }: PartLimits, model: string): number {
  return Math.min(
    estimatedTokens ?? Infinity,
    tokensByModel?.get(model) ?? Infinity,
    sharedTokensByModel?.get(model) ?? Infinity,
  );
}

/** Bytes of the request in the part, including its line break. */
function bytesOf({ completed }: CheckedRequest, line: Line): number {
  return (completed?.length ?? line.byteLength) + 1;
}
