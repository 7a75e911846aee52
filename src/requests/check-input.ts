import { createHash } from 'node:crypto';
import type { FaultReport } from '../contract/input-fault.js';
import { BATCH_LIMITS, type BatchLimits, estimatedTokensOf } from '../contract/limits.js';
import { counted, FaultCollector, quoted } from '../jsonl/fault-collector.js';
import { IdsByLine } from '../jsonl/id-table.js';
import { FileStart } from '../jsonl/file-start.js';
import { type Line, LineSplitter } from '../jsonl/lines.js';
import { requestCheck } from './check-request.js';

export interface BatchInputOptions {
  /** The endpoint that each request's `url` must equal, such as `/v1/chat/completions`. */
  readonly endpoint: string;
  /** Limits that differ from the documented ones, such as another provider's. */
  readonly limits?: Partial<BatchLimits>;
}

/** Figures of a batch's input file, and what is wrong with it. */
export interface BatchInputReport {
  /** Lines that are not blank. */
  readonly requests: number;
  readonly bytes: number;
  /** Hash of the whole file, lower-case hex. */
  readonly sha256: string;
  /** Whether the file begins with a byte order mark, which must not be uploaded. */
  readonly hasByteOrderMark: boolean;
  /** The model of the first request that names one. */
  readonly model: string | null;
  /** Inputs over all valid requests; 0 unless the endpoint is one for embeddings. */
  readonly embeddingInputs: number;
  /** A rough estimate of the prompt tokens, from the length of the lines and the number of images in them. */
  readonly estimatedTokens: number;
  readonly faults: FaultReport;
}

/**
 * Reads a batch's input file once, in bounded memory, and reports every fault that would fail the batch at the
 * provider.
 */
export async function checkBatchInput(
  source: AsyncIterable<Uint8Array>,
  options: BatchInputOptions,
): Promise<BatchInputReport> {
  const check = new BatchInputCheck(options);
  for await (const chunk of source) check.push(chunk);
  return check.end();
}

class BatchInputCheck {
  readonly #limits: BatchLimits;
  readonly #check: ReturnType<typeof requestCheck>;
  readonly #splitter: LineSplitter;
  readonly #hash = createHash('sha256');
  readonly #start = new FileStart();
  readonly #faults = new FaultCollector();
  readonly #ids = new IdsByLine();
  #bytes = 0;
  #requests = 0;
  #promptBytes = 0;
  /** Line of the first request above the limit. */
  #firstAboveLimit = 0;
  #model: { name: string; line: number } | null = null;
  #embeddingInputs = 0;

  constructor({ endpoint, limits }: BatchInputOptions) {
    this.#limits = { ...BATCH_LIMITS, ...limits };
    const { lineBytes } = this.#limits;
    this.#check = requestCheck({
      endpoint,
      missingFields: 'refuse',
      missingCustomIds: 'refuse',
      limits: { lineBytes },
    });
    this.#splitter = new LineSplitter(lineBytes);
  }

  push(chunk: Uint8Array): void {
    this.#bytes += chunk.byteLength;
    this.#hash.update(chunk);
    this.#start.push(chunk);
    if (this.#start.problem !== null) return;
    for (const line of this.#splitter.push(chunk)) this.#checkLine(line);
  }

  end(): BatchInputReport {
    if (this.#start.problem === null) for (const line of this.#splitter.end()) this.#checkLine(line);
    this.#ids.findDuplicates((line, firstLine, id) => {
      this.#faults.addToLine(
        line,
        () => `duplicate custom_id ${quoted(id())} (first on line ${firstLine})`,
        'custom_id',
      );
    });
    this.#checkTotals();
    return {
      requests: this.#requests,
      bytes: this.#bytes,
      sha256: this.#hash.digest('hex'),
      hasByteOrderMark: this.#start.hasByteOrderMark,
      model: this.#model?.name ?? null,
      embeddingInputs: this.#embeddingInputs,
      estimatedTokens: estimatedTokensOf(this.#promptBytes),
      faults: this.#faults.report(),
    };
  }

  #checkLine(line: Line): void {
    this.#requests += 1;
    if (this.#requests === this.#limits.requests + 1) this.#firstAboveLimit = line.number;
    const request = this.#check(line, line.number);
    if (request.customId !== null) this.#ids.push(request.customId, line.number);
    if (request.model !== null) this.#checkModel(request.model, line.number);
    if (request.faults === null) {
      this.#embeddingInputs += request.embeddingInputs;
      this.#promptBytes += request.promptBytes;
    } else for (const { message, field } of request.faults) this.#faults.addToLine(line.number, message, field);
  }

  #checkModel(model: string, line: number): void {
    if (this.#model === null) this.#model = { name: model, line };
    else if (model !== this.#model.name) {
      const message = `differs from the model on line ${this.#model.line}; a batch has one model`;
      this.#faults.addToLine(line, message, 'body.model');
    }
  }

  #checkTotals(): void {
    const { requests, bytes, embeddingInputs } = this.#limits;
    if (this.#start.problem !== null) this.#faults.addToFile(this.#start.problem);
    else if (this.#requests === 0) this.#faults.addToFile('no requests');
    if (this.#requests > requests) this.#addTotal(this.#requests, 'requests', requests, this.#firstAboveLimit);
    if (this.#bytes > bytes) this.#addTotal(this.#bytes, 'bytes', bytes);
    if (this.#embeddingInputs > embeddingInputs) {
      this.#addTotal(this.#embeddingInputs, 'embedding inputs', embeddingInputs);
    }
  }

  #addTotal(count: number, what: string, limit: number, line?: number): void {
    this.#faults.addToFile(`${counted(count)} ${what}; the limit of a batch is ${counted(limit)}`, line);
  }
}
