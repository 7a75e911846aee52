/** Lines of many result files in another order than theirs, by positioned reads that are gathered a window at a time. */
import { createWriteStream } from 'node:fs';
import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import type { Fate, IndexedFile, ResultIndex } from './result-index.js';

/** Bytes of lines that are in memory at once. */
const WINDOW = 24 * 1024 * 1024;
/** Lines this close to each other are read in one go. */
const GAP = 64 * 1024;
const MAX_READ = 4 * 1024 * 1024;

interface Wanted {
  readonly at: number;
  readonly offset: number;
  readonly length: number;
}

export class ResultLines implements AsyncDisposable {
  readonly #index: ResultIndex;
  readonly #handles = new Map<number, FileHandle>();
  #folder: string | null = null;

  constructor(index: ResultIndex) {
    this.#index = index;
  }

  /** The answered requests' lines, in the order of the places. */
  answers(places: Uint32Array): AsyncGenerator<Uint8Array> {
    return this.#stream(places, (fate) => fate === 'answered');
  }

  /** Everything else: the line of the last round with its round and fate put in, or a line of ours. */
  others(places: Uint32Array): AsyncGenerator<Uint8Array> {
    return this.#stream(places, (fate) => fate !== 'answered');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const handle of this.#handles.values()) await handle.close();
    if (this.#folder !== null) await rm(this.#folder, { recursive: true, force: true });
  }

  async *#stream(places: Uint32Array, isWanted: (fate: Fate) => boolean): AsyncGenerator<Uint8Array> {
    let window: number[] = [];
    let bytes = 0;
    for (const place of places) {
      if (!isWanted(this.#index.fateOf(place))) continue;
      window.push(place);
      bytes += (this.#index.locationOf(place)?.length ?? 0) + 64;
      if (bytes < WINDOW) continue;
      yield await this.#read(window);
      window = [];
      bytes = 0;
    }
    if (window.length > 0) yield await this.#read(window);
  }

  /** The window's lines, one after the other. */
  async #read(window: readonly number[]): Promise<Buffer> {
    const heads = window.map((place) => this.#head(place));
    const starts = new Float64Array(window.length);
    let size = 0;
    const byFile = new Map<number, Wanted[]>();
    window.forEach((place, at) => {
      const location = this.#index.locationOf(place);
      const head = heads[at] ?? '';
      starts[at] = size;
      // The head takes the place of the line's first brace.
      size += head === '' ? (location?.length ?? 0) : Buffer.byteLength(head) + (location ? location.length - 1 : 0);
      size += 1;
      if (!location) return;
      const wanted = byFile.get(location.file) ?? [];
      if (wanted.length === 0) byFile.set(location.file, wanted);
      wanted.push({ at, offset: location.offset, length: location.length });
    });
    const content = Buffer.allocUnsafe(size);
    for (const [file, wanted] of byFile) await this.#fill(content, starts, heads, file, wanted);
    heads.forEach((head, at) => {
      if (head !== '') content.write(head, starts[at] ?? 0);
      content[(at + 1 < starts.length ? (starts[at + 1] ?? size) : size) - 1] = 10;
    });
    return content;
  }

  async #fill(
    content: Buffer,
    starts: Float64Array,
    heads: readonly string[],
    file: number,
    wanted: Wanted[],
  ): Promise<void> {
    const handle = await this.#handle(file);
    wanted.sort((a, b) => a.offset - b.offset);
    for (let first = 0; first < wanted.length;) {
      const from = wanted[first]?.offset ?? 0;
      let last = first;
      const endOf = (at: number) => (wanted[at]?.offset ?? 0) + (wanted[at]?.length ?? 0);
      while (
        last + 1 < wanted.length &&
        (wanted[last + 1]?.offset ?? 0) - endOf(last) < GAP &&
        endOf(last + 1) - from < MAX_READ
      ) {
        last += 1;
      }
      const length = endOf(last) - from;
      const chunk = Buffer.allocUnsafe(length);
      const { bytesRead } = await handle.read(chunk, 0, length, from);
      if (bytesRead !== length)
        throw new Error(`${this.#index.files[file]?.reader.uri} is shorter than when it was read before`);
      for (const { at, offset, length: size } of wanted.slice(first, last + 1)) {
        const head = heads[at] ?? '';
        const skip = head === '' ? 0 : 1;
        const start = (starts[at] ?? 0) + Buffer.byteLength(head);
        chunk.copy(content, start, offset - from + skip, offset - from + size);
      }
      first = last + 1;
    }
  }

  /** What is put before a line that is no answer, in place of its first brace; the whole line where there is none. */
  #head(place: number): string {
    const fate = this.#index.fateOf(place);
    if (fate === 'answered') return '';
    const location = this.#index.locationOf(place);
    if (location) return `{"round":${this.#index.files[location.file]?.round ?? 0},"fate":"${fate}",`;
    const error = { code: 'missing', message: 'No batch has a result for the request.' };
    return JSON.stringify({ round: 0, fate, id: null, custom_id: this.#index.ids.at(place), response: null, error });
  }

  async #handle(file: number): Promise<FileHandle> {
    const known = this.#handles.get(file);
    if (known) return known;
    const handle = await open(await this.#localPath(this.#index.files[file]!, file), 'r');
    this.#handles.set(file, handle);
    return handle;
  }

  /** Positioned reads want a local file; what is elsewhere is brought here first. */
  async #localPath({ reader }: IndexedFile, file: number): Promise<string> {
    if (reader.uri.startsWith('file:')) return fileURLToPath(reader.uri);
    this.#folder ??= await mkdtemp(join(tmpdir(), 'llm-jobs-merge-'));
    const path = join(this.#folder, `${file}.jsonl`);
    await pipeline(reader.open(), createWriteStream(path));
    return path;
  }
}
