/** Splits requests of any number into parts that each are a valid input of one batch: one model, one endpoint, within the limits. */
import type { FaultReport } from '../jobs/fault.js';
import type { FileRef } from '../jobs/file-ref.js';
import { counted, FaultCollector, quoted } from '../jsonl/fault-collector.js';
import { countEmbeddingInputs } from '../jsonl/check-batch-input.js';
import { IdTable } from '../jsonl/id-table.js';
import { lineBlocks, type Line } from '../jsonl/lines.js';
import { isObject, kindOf, parseLine } from '../jsonl/parse-line.js';
import { PartWriter } from './part-writer.js';

/** One file of requests. */
export interface BulkSource {
  readonly uri: string;
  /** Opens the (decompressed) content from its start; it must be the same each time. */
  readonly open: () => AsyncIterable<Uint8Array>;
}

export interface PartLimits {
  readonly requests: number;
  readonly bytes: number;
  readonly embeddingInputs: number;
  /** Prompt tokens of a part by the rough guess of one for four bytes. Default: no limit. */
  readonly estimatedTokens?: number;
  readonly lineBytes: number;
}

export interface PartHead {
  /** From 1, in the order in which parts begin. */
  readonly number: number;
  readonly model: string;
  readonly endpoint: string;
}

export interface Part extends PartHead {
  readonly file: FileRef;
  readonly requests: number;
  readonly embeddingInputs: number;
  readonly estimatedTokens: number;
}

export interface SplitOptions {
  readonly limits: PartLimits;
  /** `fromLineNumber` gives `line-<n>`, where n counts the lines over all files. */
  readonly missingCustomIds: 'refuse' | 'fromLineNumber';
  /** The endpoint that every request must have. Default: each its own. */
  readonly endpoint?: string;
  /** Only these requests go into parts; all are checked. Default: all. */
  readonly only?: (customId: string) => boolean;
  /** Writes a part; several are open at a time, and a slow one slows the reading. */
  readonly writePart: (part: PartHead, content: AsyncIterable<Uint8Array>) => Promise<FileRef>;
}

export interface SplitResult {
  readonly parts: Part[];
  /** Requests of the input, in parts or not. */
  readonly requests: number;
  readonly faults: FaultReport;
}

/** Models × endpoints that may be mixed: each has a part open. */
const MAX_GROUPS = 100;
const MAX_CUSTOM_ID = 512;

/** Reads all sources once, in bounded memory. Where there are faults the parts are there all the same, for the caller to delete. */
export async function splitRequests(sources: readonly BulkSource[], options: SplitOptions): Promise<SplitResult> {
  const split = new Split(options);
  try {
    for (const source of sources) await split.read(source);
    return await split.end();
  } catch (error) {
    await split.abort(error);
    throw error;
  }
}

interface Request {
  readonly id: string;
  readonly model: string;
  readonly endpoint: string;
  readonly embeddingInputs: number;
  /** What the line lacks: it is put in at its start. */
  readonly addition: string;
}

class Split {
  readonly #options: SplitOptions;
  readonly #faults = new FaultCollector();
  readonly #ids = new IdTable();
  readonly #groups = new Map<string, PartWriter>();
  readonly #finished: Promise<Part>[] = [];
  /** First line of each source over all files, to name where an id stands. */
  readonly #starts: { uri: string; line: number }[] = [];
  /** Line over all files, by the id's index. */
  #idLines = new Uint32Array(1_024);
  #line = 0;
  #parts = 0;

  constructor(options: SplitOptions) {
    this.#options = options;
  }

  async read(source: BulkSource): Promise<void> {
    const before = this.#line;
    this.#starts.push({ uri: source.uri, line: before });
    for await (const lines of lineBlocks(source.open(), { lineBytes: this.#options.limits.lineBytes })) {
      for (const line of lines) {
        this.#line = before + line.number;
        const request = this.#check(line);
        if (request === null || this.#options.only?.(request.id) === false) continue;
        const writer = await this.#writerFor(request, line.byteLength);
        writer?.add(request.addition, line.bytes, request.embeddingInputs);
      }
      for (const writer of this.#groups.values()) await writer.drained();
    }
  }

  async end(): Promise<SplitResult> {
    this.#ids.settle((index, first) => {
      const message = () =>
        `${quoted(this.#ids.at(index))} stands at ${this.#place(this.#idLines[first] ?? 0)} too; it must be unique over all files`;
      this.#faults.line(this.#idLines[index] ?? 0, message, 'custom_id');
    });
    const requests = this.#ids.size;
    if (this.#line === 0) this.#faults.file('the input holds no request');
    for (const writer of this.#groups.values()) this.#finished.push(writer.finish());
    return { parts: await Promise.all(this.#finished), requests, faults: this.#report() };
  }

  async abort(reason: unknown): Promise<void> {
    for (const writer of this.#groups.values()) writer.abort(reason);
    await Promise.allSettled(this.#finished);
  }

  /** Lines count over all files; with several files a message says which one. */
  #report(): FaultReport {
    const { faults, total } = this.#faults.report();
    if (this.#starts.length < 2) return { faults, total };
    return {
      total,
      faults: faults.map((fault) => {
        if (fault.line === undefined) return fault;
        const start = this.#startOf(fault.line);
        return { ...fault, line: fault.line - start.line, message: `in ${start.uri}: ${fault.message}` };
      }),
    };
  }

  #startOf(line: number): { uri: string; line: number } {
    return this.#starts.findLast((start) => start.line < line) ?? { uri: '', line: 0 };
  }

  #place(line: number): string {
    const start = this.#startOf(line);
    return this.#starts.length < 2 ? `line ${line}` : `line ${line - start.line} of ${start.uri}`;
  }

  #check(line: Line): Request | null {
    const { object, problem } = parseLine(line, this.#options.limits.lineBytes);
    if (object === null) return this.#fault(problem);
    const { custom_id: ownId, method, url: ownUrl, body } = object;
    const { endpoint, missingCustomIds } = this.#options;
    const canGiveId = missingCustomIds === 'fromLineNumber' && ownId === undefined;
    const id = canGiveId ? `line-${this.#line}` : ownId;
    if (typeof id !== 'string' || id === '') {
      return this.#fault(`is ${id === '' ? 'empty' : kindOf(id)}; must be a string that is not empty`, 'custom_id');
    }
    if (id.length > MAX_CUSTOM_ID) {
      return this.#fault(`is ${id.length} characters long; at most ${MAX_CUSTOM_ID} are allowed`, 'custom_id');
    }
    this.#remember(id);
    const url = ownUrl ?? endpoint;
    if (method !== undefined && method !== 'POST') return this.#fault('must be "POST"', 'method');
    if (typeof url !== 'string' || !url.startsWith('/'))
      return this.#fault('must be a path such as /v1/chat/completions', 'url');
    if (endpoint !== undefined && url !== endpoint) return this.#fault(`must be ${endpoint}`, 'url');
    if (!isObject(body)) return this.#fault(`is ${kindOf(body)}; must be an object`, 'body');
    const { model, stream, input } = body;
    if (typeof model !== 'string' || model === '') return this.#fault('must be the name of a model', 'body.model');
    if (stream === true) return this.#fault('must not be true: a batch does not stream', 'body.stream');
    const embeddingInputs = url.endsWith('/embeddings') ? countEmbeddingInputs(input) : 0;
    const { limits } = this.#options;
    if (embeddingInputs > limits.embeddingInputs) {
      return this.#fault(
        `has ${counted(embeddingInputs)} inputs; a batch takes at most ${counted(limits.embeddingInputs)}`,
        'body.input',
      );
    }
    const addition = [
      canGiveId && `"custom_id":${JSON.stringify(id)}`,
      method === undefined && '"method":"POST"',
      ownUrl === undefined && `"url":${JSON.stringify(url)}`,
    ].filter((text) => text !== false);
    return { id, model, endpoint: url, embeddingInputs, addition: addition.join(',') };
  }

  #fault(message: string, field?: string): null {
    this.#faults.line(this.#line, message, field);
    return null;
  }

  #remember(id: string): void {
    const index = this.#ids.size;
    this.#ids.push(id);
    if (index === this.#idLines.length) {
      const grown = new Uint32Array(index * 2);
      grown.set(this.#idLines);
      this.#idLines = grown;
    }
    this.#idLines[index] = this.#line;
  }

  /** The part that the request goes into: the open one of its model and endpoint, or a new one where that is full. */
  async #writerFor(request: Request, lineBytes: number): Promise<PartWriter | null> {
    const key = `${request.endpoint}\n${request.model}`;
    const open = this.#groups.get(key);
    const bytes = lineBytes + request.addition.length + 2;
    if (open?.hasRoom(bytes, request.embeddingInputs, this.#options.limits)) return open;
    if (open) this.#finished.push(open.finish());
    else if (this.#groups.size === MAX_GROUPS) {
      return this.#fault(`is one more model and endpoint; an input may mix at most ${MAX_GROUPS}`, 'body.model');
    }
    if (bytes > this.#options.limits.bytes) {
      return this.#fault(
        `is ${counted(bytes)} bytes long; a part takes at most ${counted(this.#options.limits.bytes)}`,
      );
    }
    const head = { number: (this.#parts += 1), model: request.model, endpoint: request.endpoint };
    const writer = new PartWriter(head, this.#options.writePart);
    this.#groups.set(key, writer);
    return writer;
  }
}
