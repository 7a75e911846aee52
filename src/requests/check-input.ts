import { createHash } from 'node:crypto';
import type { FaultReport } from '../contract/input-fault.js';
import { BATCH_LIMITS, type BatchLimits } from '../contract/limits.js';
import { counted, FaultCollector, quoted } from '../jsonl/fault-collector.js';
import { type Line, LineSplitter } from '../jsonl/lines.js';
import { IdsByLine } from '../jsonl/ids-by-line.js';
import { isObject, kindOf, parseLine } from '../jsonl/parse-line.js';
import { RequestSkim } from './request-skim.js';

export interface BatchInputOptions {
  /** The endpoint that each request's `url` must equal, such as `/v1/chat/completions`. */
  endpoint: string;
  /** Limits that differ from the documented ones, such as another provider's. */
  limits?: Partial<BatchLimits>;
  /** Longest `custom_id`, in UTF-16 units. Default 512; the API documents none. */
  customIdLength?: number;
}

/** What a batch's input file is, and what is wrong with it. */
export interface BatchInputReport {
  /** Lines that are not blank. */
  readonly requests: number;
  readonly bytes: number;
  /** Hash of the whole file, lower-case hex. */
  readonly sha256: string;
  /** The model of the first request that names one. */
  readonly model: string | null;
  /** Inputs over all requests; 0 where the endpoint makes no embeddings. */
  readonly embeddingInputs: number;
  /** A rough guess at the prompt tokens, made from lengths: one for four bytes of the lines. */
  readonly estimatedTokens: number;
  readonly faults: FaultReport;
}

/** Reads a batch's input file once, in bounded memory, and tells each fault that would fail the batch at the provider. */
export async function checkBatchInput(
  source: AsyncIterable<Uint8Array>,
  options: BatchInputOptions,
): Promise<BatchInputReport> {
  const check = new BatchInputCheck(options);
  for await (const chunk of source) check.push(chunk);
  return check.end();
}

class BatchInputCheck {
  readonly #endpoint: string;
  readonly #limits: BatchLimits;
  readonly #customIdLength: number;
  readonly #countsEmbeddings: boolean;
  readonly #splitter: LineSplitter;
  readonly #skim = new RequestSkim();
  readonly #hash = createHash('sha256');
  readonly #faults = new FaultCollector();
  readonly #ids = new IdsByLine();
  #bytes = 0;
  #requests = 0;
  #lineBytes = 0;
  #firstBeyondLimit = 0;
  #model: { name: string; line: number } | null = null;
  #embeddingInputs = 0;

  constructor(options: BatchInputOptions) {
    this.#endpoint = options.endpoint;
    this.#limits = { ...BATCH_LIMITS, ...options.limits };
    this.#customIdLength = options.customIdLength ?? 512;
    this.#countsEmbeddings = options.endpoint.endsWith('/embeddings');
    this.#splitter = new LineSplitter(this.#limits.lineBytes);
  }

  push(chunk: Uint8Array): void {
    this.#bytes += chunk.byteLength;
    this.#hash.update(chunk);
    for (const line of this.#splitter.push(chunk)) this.#checkLine(line);
  }

  end(): BatchInputReport {
    for (const line of this.#splitter.end()) this.#checkLine(line);
    this.#checkUniqueness();
    this.#checkTotals();
    return {
      requests: this.#requests,
      bytes: this.#bytes,
      sha256: this.#hash.digest('hex'),
      model: this.#model?.name ?? null,
      embeddingInputs: this.#embeddingInputs,
      estimatedTokens: Math.ceil(this.#lineBytes / 4),
      faults: this.#faults.report(),
    };
  }

  #checkLine(line: Line): void {
    this.#lineBytes += line.byteLength;
    if (++this.#requests === this.#limits.requests + 1) this.#firstBeyondLimit = line.number;
    if (this.#isRight(line)) return this.#skim.pushId(this.#ids, line.number);
    const { object, problem } = parseLine(line, this.#limits.lineBytes);
    if (object === null) this.#faults.line(line.number, problem);
    else this.#checkRequest(object, line.number);
  }

  /** Whether the line surely has no fault by itself, and what it tells of was told before. */
  #isRight(line: Line): boolean {
    const skim = this.#skim;
    if (this.#countsEmbeddings || !skim.read(line) || skim.url !== this.#endpoint) return false;
    return skim.idLength <= this.#customIdLength && skim.model === this.#model?.name;
  }

  #checkRequest(request: Record<string, unknown>, line: number): void {
    this.#checkCustomId(request['custom_id'], line);
    if (request['method'] !== 'POST') this.#faults.line(line, 'must be "POST"', 'method');
    if (request['url'] !== this.#endpoint) {
      this.#faults.line(line, `must be the endpoint of the batch, ${this.#endpoint}`, 'url');
    }
    const body = request['body'];
    if (!isObject(body)) {
      this.#faults.line(line, `is ${kindOf(body)}; must be an object`, 'body');
      return;
    }
    this.#checkModel(body['model'], line);
    if (body['stream'] === true) this.#faults.line(line, 'must not be true: a batch does not stream', 'body.stream');
    if (this.#countsEmbeddings) this.#embeddingInputs += countEmbeddingInputs(body['input']);
  }

  #checkCustomId(id: unknown, line: number): void {
    if (typeof id !== 'string' || id === '') {
      const is = id === '' ? 'is empty' : `is ${kindOf(id)}`;
      this.#faults.line(line, `${is}; must be a string that is not empty`, 'custom_id');
      return;
    }
    if (id.length > this.#customIdLength) {
      const limit = this.#customIdLength;
      this.#faults.line(line, `is ${id.length} characters long; at most ${limit} are allowed`, 'custom_id');
      return;
    }
    this.#ids.push(id, line);
  }

  #checkUniqueness(): void {
    this.#ids.settle((line, firstLine, id) => {
      const message = () => `${quoted(id())} stands on line ${firstLine} too; it must be unique in the file`;
      this.#faults.line(line, message, 'custom_id');
    });
  }

  #checkModel(model: unknown, line: number): void {
    if (typeof model !== 'string' || model === '') {
      const is = model === '' ? 'is empty' : `is ${kindOf(model)}`;
      this.#faults.line(line, `${is}; must be the name of a model`, 'body.model');
    } else if (this.#model === null) {
      this.#model = { name: model, line };
    } else if (model !== this.#model.name) {
      const first = this.#model.line;
      this.#faults.line(line, `differs from the model on line ${first}; a batch has one model`, 'body.model');
    }
  }

  #checkTotals(): void {
    const { requests, bytes, embeddingInputs } = this.#limits;
    if (this.#requests === 0) this.#faults.file('the file holds no request');
    if (this.#requests > requests) {
      this.#faults.file(
        `the file holds ${counted(this.#requests)} requests; a batch takes at most ${counted(requests)}`,
        this.#firstBeyondLimit,
      );
    }
    if (this.#bytes > bytes) {
      this.#faults.file(`the file has ${counted(this.#bytes)} bytes; a batch takes at most ${counted(bytes)}`);
    }
    if (this.#embeddingInputs > embeddingInputs) {
      const found = counted(this.#embeddingInputs);
      this.#faults.file(`the file holds ${found} embedding inputs; a batch takes at most ${counted(embeddingInputs)}`);
    }
  }
}

/** Inputs of one embeddings request: a string or an array of tokens is one, an array of either as many as it has. */
export function countEmbeddingInputs(input: unknown): number {
  if (!Array.isArray(input)) return input === undefined || input === null ? 0 : 1;
  return typeof input[0] === 'number' ? 1 : input.length;
}
