/** Splits requests of any number into parts that each are a valid input of one batch: one model, one endpoint, within the limits. */
import type { FaultReport } from '../contract/input-fault.js';
import type { FileRef } from '../contract/file-ref.js';
import type { Part, PartHead } from '../contract/part.js';
import { FaultCollector, quoted } from '../jsonl/fault-collector.js';
import { lineBlocks } from '../jsonl/lines.js';
import { IdsByLine } from '../jsonl/ids-by-line.js';
import { WriteBackpressure } from '../jsonl/backpressure.js';
import { PartWriter } from './part-writer.js';
import { type Request, RequestReader } from './request-reader.js';

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

export interface SplitOptions {
  readonly limits: PartLimits;
  /** What becomes of requests without a `custom_id`: `fromLineNumber` gives `line-<n>`, where n counts the lines over all files, up to each file's last request. */
  readonly missingCustomIds: 'refuse' | 'fromLineNumber';
  /** The endpoint that every request must have. Default: each its own. */
  readonly endpoint?: string;
  /** Only these requests go into parts; all are checked. Default: all. */
  readonly only?: (customId: string) => boolean;
  /**
   * Writes a part, all or nothing. Several are open at a time, one for each model and endpoint, and a slow one slows the reading.
   * Where it rejects, so does the split.
   */
  readonly writePart: (part: PartHead, content: AsyncIterable<Uint8Array>) => Promise<FileRef>;
}

export interface SplitResult {
  /** By number. Where there are faults: those that are written, for the caller to delete. */
  readonly parts: Part[];
  /** Lines of the input that are not blank, in parts or not. */
  readonly requests: number;
  readonly faults: FaultReport;
}

/** Models × endpoints that may be mixed: each has a part open. */
const MAX_GROUPS = 100;
/** Bytes that may wait for a slow storage. */
const BACKLOG = 4 * 1024 * 1024;
/** Full parts that storage is still busy with. */
const MAX_FINISHING = 2;

/**
 * Reads all sources once, in bounded memory, and writes their lines as they are into parts, in their order for each model and endpoint.
 * With the first fault the writing ends, and the reading goes on to find the others.
 *
 * @throws what a source or `writePart` throws; parts that are written by then stay, and a further try writes the same ones again
 */
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

class Split {
  readonly #options: SplitOptions;
  readonly #faults = new FaultCollector();
  readonly #reader: RequestReader;
  readonly #ids = new IdsByLine();
  readonly #backlog = new WriteBackpressure(BACKLOG);
  /** The open part of each model and endpoint. */
  readonly #groups = new Map<string, Map<string, PartWriter>>();
  #groupCount = 0;
  readonly #parts: Part[] = [];
  readonly #finishing = new Set<Promise<void>>();
  #hasFaults = false;
  /** First line of each source over all files, to name where an id stands. */
  readonly #starts: { uri: string; line: number }[] = [];
  /** Number of the line over all files. */
  #line = 0;
  #requests = 0;
  #lastNumber = 0;

  constructor(options: SplitOptions) {
    this.#options = options;
    this.#reader = new RequestReader({
      ...options,
      fault: (message, field) => this.#fault(message, field),
      ids: this.#ids,
    });
  }

  async read(source: BulkSource): Promise<void> {
    const before = this.#line;
    this.#starts.push({ uri: source.uri, line: before });
    for await (const lines of lineBlocks(source.open(), { lineBytes: this.#options.limits.lineBytes })) {
      for (const line of lines) {
        this.#line = before + line.number;
        this.#requests += 1;
        const request = this.#reader.read(line, this.#line);
        if (request === null || this.#hasFaults || !request.isWanted) continue;
        const { made, embeddingInputs } = request;
        const writer = this.#writerFor(request, (made?.length ?? line.byteLength) + 1);
        if (made) writer?.addMade(made, embeddingInputs);
        else writer?.add(line, embeddingInputs);
      }
      for (const writer of this.#open()) writer.endBlock();
      if (this.#hasFaults) await this.#abortOpen();
      if (this.#backlog.isPressing) await this.#backlog.settled();
      while (this.#finishing.size > MAX_FINISHING) await Promise.race(this.#finishing);
    }
  }

  async end(): Promise<SplitResult> {
    this.#ids.settle((line, firstLine, id) => {
      const message = () => `${quoted(id())} stands at ${this.#place(firstLine)} too; it must be unique over all files`;
      this.#hasFaults = true;
      this.#faults.line(line, message, 'custom_id');
    });
    if (this.#requests === 0) {
      this.#hasFaults = true;
      this.#faults.file('the input holds no request');
    }
    if (this.#hasFaults) await this.#abortOpen();
    for (const writer of this.#open()) this.#finish(writer);
    await Promise.all(this.#finishing);
    await this.#backlog.settled();
    this.#parts.sort((a, b) => a.number - b.number);
    return { parts: this.#parts, requests: this.#requests, faults: this.#report() };
  }

  async abort(reason: unknown): Promise<void> {
    await this.#abortOpen(reason);
    await Promise.all(this.#finishing);
  }

  *#open(): Generator<PartWriter> {
    for (const writers of this.#groups.values()) yield* writers.values();
  }

  /** Never rejects: a failure of storage is told by the backlog, to whoever waits for it next. */
  #finish(writer: PartWriter): void {
    const finishing = writer
      .finish()
      .then((part) => void this.#parts.push(part))
      .catch((error: unknown) => this.#backlog.fail(error))
      .finally(() => this.#finishing.delete(finishing));
    this.#finishing.add(finishing);
  }

  async #abortOpen(reason: unknown = new Error('the input has faults')): Promise<void> {
    const open = [...this.#open()];
    this.#groups.clear();
    await Promise.all(open.map((writer) => writer.abort(reason)));
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
    return this.#starts.findLast((start) => start.line < line)!;
  }

  #place(line: number): string {
    const start = this.#startOf(line);
    return this.#starts.length < 2 ? `line ${line}` : `line ${line - start.line} of ${start.uri}`;
  }

  #fault(message: string, field?: string): void {
    this.#hasFaults = true;
    this.#faults.line(this.#line, message, field);
  }

  /** The part that the request goes into: the open one of its model and endpoint, or a new one where that is full. */
  #writerFor({ model, endpoint, embeddingInputs }: Request, bytes: number): PartWriter | null {
    const writers = this.#groups.get(endpoint);
    const open = writers?.get(model);
    if (open?.fits(bytes, embeddingInputs, this.#options.limits)) return open;
    if (open) this.#finish(open);
    else if (++this.#groupCount > MAX_GROUPS) {
      this.#fault(`is one more model and endpoint; an input may mix at most ${MAX_GROUPS} of them`, 'body.model');
      return null;
    }
    const head = { number: ++this.#lastNumber, model, endpoint };
    const writer = new PartWriter(head, this.#options.writePart, this.#backlog);
    if (writers) writers.set(model, writer);
    else this.#groups.set(endpoint, new Map([[model, writer]]));
    return writer;
  }
}
