/**
 * Splits any number of requests into parts that are each a valid input of one batch: one model, one endpoint, within
 * the limits.
 */
import type { FileRef } from '../contract/file-ref.js';
import type { FaultReport } from '../contract/input-fault.js';
import type { Part, PartHead } from '../contract/part.js';
import { WriteBackpressure } from '../jsonl/backpressure.js';
import { FaultCollector, quoted } from '../jsonl/fault-collector.js';
import { FileStart } from '../jsonl/file-start.js';
import { IdsByLine } from '../jsonl/id-table.js';
import { type Line, lineBlocks, type LineSource } from '../jsonl/lines.js';
import { type CheckedRequest, requestCheck } from './check-request.js';
import { type PartLimits, PartWriter } from './part-writer.js';

export interface SplitOptions {
  readonly limits: PartLimits;
  /**
   * How to treat requests without a `custom_id`: `fromLineNumber` gives them `line-<n>`, where n counts the lines over
   * all files, up to the last request of each.
   */
  readonly missingCustomIds: 'refuse' | 'fromLineNumber';
  /** The endpoint that every request must have. Without it, each request has its own. */
  readonly endpoint?: string;
  /** Selects the requests that go into parts; all are checked. Without it, all are selected. */
  readonly only?: (customId: string) => boolean;
  /**
   * Writes a part completely or not at all. Several are open at a time, one for each model and endpoint; a slow one
   * slows the reading down. If it rejects, so does the split.
   */
  readonly writePart: (part: PartHead, content: AsyncIterable<Uint8Array>) => Promise<FileRef>;
}

export interface SplitResult {
  /** By number. If there are faults: those that were already written, for the caller to delete. */
  readonly parts: Part[];
  /** Lines of the input that are not blank, in parts or not. */
  readonly requests: number;
  readonly faults: FaultReport;
}

/** What a part names as its model where its requests leave the choice to the provider. */
const DEFAULT_MODEL = 'default';
/** Combinations of model and endpoint in one input: each has an open part. */
const MAX_COMBINATIONS = 100;
/** Bytes that may wait for storage before the reading stops. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** Full parts that may wait for storage before the reading stops. */
const MAX_FINISHING = 2;

/**
 * Reads all sources once, in bounded memory, and writes their lines into parts, in their order for each model and
 * endpoint. After the first fault nothing more is written, and the rest is read for further faults.
 *
 * @throws whatever a source or `writePart` throws; parts that were already written remain, and the next attempt
 * overwrites them
 */
export async function splitRequests(sources: readonly LineSource[], options: SplitOptions): Promise<SplitResult> {
  const split = new Split(options);
  try {
    for (const source of sources) await split.read(source);
    return await split.end();
  } catch (error) {
    await split.abort(error);
    throw error;
  }
}

class Split {
  readonly #options: SplitOptions;
  readonly #check: ReturnType<typeof requestCheck>;
  readonly #faults = new FaultCollector();
  readonly #ids = new IdsByLine();
  readonly #backpressure = new WriteBackpressure(MAX_WAITING_BYTES);
  /** The open part of each endpoint and model. */
  readonly #open = new Map<string, Map<string, PartWriter>>();
  #combinations = 0;
  readonly #parts: Part[] = [];
  readonly #finishing = new Set<Promise<void>>();
  /** The sources, each with the number of lines before it. */
  readonly #sources: { uri: string; linesBefore: number }[] = [];
  /** Number of the last line that was read, over all files. */
  #line = 0;
  #requests = 0;
  #lastNumber = 0;

  constructor(options: SplitOptions) {
    this.#options = options;
    this.#check = requestCheck({ ...options, missingFields: 'complete' });
  }

  async read({ uri, open }: LineSource): Promise<void> {
    const linesBefore = this.#line;
    this.#sources.push({ uri, linesBefore });
    const start = new FileStart();
    const content = withStart(open(), start);
    for await (const lines of lineBlocks(content, { lineBytes: this.#options.limits.lineBytes })) {
      if (start.problem !== null) break;
      for (const line of lines) this.#readLine(line, linesBefore + line.number);
      for (const writer of this.#openParts()) writer.endBlock();
      if (!this.#faults.isEmpty) await this.#abortOpenParts();
      if (this.#backpressure.isPressing) await this.#backpressure.settled();
      while (this.#finishing.size > MAX_FINISHING) await Promise.race(this.#finishing);
    }
    if (start.problem !== null) this.#faults.addToFile(`${start.problem} (${uri})`);
  }

  async end(): Promise<SplitResult> {
    this.#ids.findDuplicates((line, firstLine, id) => {
      const message = () => `duplicate custom_id ${quoted(id())} (first on ${this.#nameOfLine(firstLine)})`;
      this.#faults.addToLine(line, message, 'custom_id');
    });
    if (this.#requests === 0 && this.#faults.isEmpty) this.#faults.addToFile('no requests');
    if (!this.#faults.isEmpty) await this.#abortOpenParts();
    for (const writer of this.#openParts()) this.#finish(writer);
    await Promise.all(this.#finishing);
    await this.#backpressure.settled();
    this.#parts.sort((a, b) => a.number - b.number);
    return { parts: this.#parts, requests: this.#requests, faults: this.#report() };
  }

  async abort(reason: unknown): Promise<void> {
    await this.#abortOpenParts(reason);
    await Promise.all(this.#finishing);
  }

  #readLine(line: Line, number: number): void {
    this.#line = number;
    this.#requests += 1;
    const request = this.#check(line, number);
    if (request.customId !== null) this.#ids.push(request.customId, number);
    if (request.faults !== null) {
      for (const { message, field } of request.faults) this.#faults.addToLine(number, message, field);
    } else if (this.#faults.isEmpty && (this.#options.only?.(request.customId) ?? true)) {
      this.#partFor(request, line)?.add(request, line);
    }
  }

  /**
   * Returns the open part of the request's model and endpoint, or a new one if that is full; null if there are too
   * many.
   */
  #partFor(request: CheckedRequest, line: Line): PartWriter | null {
    const { model: name, endpoint } = request;
    const model = name ?? DEFAULT_MODEL;
    const parts = this.#open.get(endpoint);
    const open = parts?.get(model);
    if (open?.fits(request, line, this.#options.limits)) return open;
    if (open) this.#finish(open);
    else if ((this.#combinations += 1) > MAX_COMBINATIONS) {
      const message = `more than ${MAX_COMBINATIONS} combinations of model and endpoint`;
      this.#faults.addToLine(this.#line, message, 'body.model');
      return null;
    }
    this.#lastNumber += 1;
    const head = { number: this.#lastNumber, model, endpoint };
    const writer = new PartWriter(head, this.#options.writePart, this.#backpressure);
    if (parts) parts.set(model, writer);
    else this.#open.set(endpoint, new Map([[model, writer]]));
    return writer;
  }

  *#openParts(): Generator<PartWriter> {
    for (const parts of this.#open.values()) yield* parts.values();
  }

  /** Never rejects: `WriteBackpressure` passes a failure of storage on. */
  #finish(writer: PartWriter): void {
    const finishing = writer
      .finish()
      .then((part) => void this.#parts.push(part))
      .catch((error: unknown) => this.#backpressure.fail(error))
      .finally(() => this.#finishing.delete(finishing));
    this.#finishing.add(finishing);
  }

  async #abortOpenParts(reason: unknown = new Error('the input has faults')): Promise<void> {
    const writers = [...this.#openParts()];
    this.#open.clear();
    await Promise.all(writers.map((writer) => writer.abort(reason)));
  }

  /** Internally, lines are counted over all files. With several files, messages name the file. */
  #report(): FaultReport {
    const { faults, total } = this.#faults.report();
    if (this.#sources.length < 2) return { faults, total };
    return {
      total,
      faults: faults.map((fault) => {
        if (fault.line === undefined) return fault;
        const { uri, linesBefore } = this.#sourceOf(fault.line);
        return { ...fault, line: fault.line - linesBefore, message: `in ${uri}: ${fault.message}` };
      }),
    };
  }

  #nameOfLine(line: number): string {
    const { uri, linesBefore } = this.#sourceOf(line);
    return this.#sources.length < 2 ? `line ${line}` : `line ${line - linesBefore} of ${uri}`;
  }

  #sourceOf(line: number): { uri: string; linesBefore: number } {
    return this.#sources.findLast(({ linesBefore }) => linesBefore < line)!;
  }
}

async function* withStart(content: AsyncIterable<Uint8Array>, start: FileStart): AsyncGenerator<Uint8Array> {
  for await (const chunk of content) {
    start.push(chunk);
    yield chunk;
  }
}
