import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LineSource } from '../jsonl/lines.js';

/** Most files that are open at the same time: a bulk batch may have thousands. */
const MAX_OPEN_FILES = 32;

/**
 * Files that can be read at any position: those on this machine as they are, others from copies in a temporary folder,
 * which are made while they are first read.
 */
export class LocalFiles implements AsyncDisposable {
  readonly #paths = new Map<LineSource, string>();
  /** Least recently used first. */
  readonly #handles = new Map<LineSource, FileHandle>();
  #folder: string | null = null;

  /** Reads the whole file. After that, it can be read at any position. */
  async *read(file: LineSource): AsyncGenerator<Uint8Array> {
    if (file.uri.startsWith('file:')) {
      this.#paths.set(file, fileURLToPath(file.uri));
      yield* file.open();
      return;
    }
    this.#folder ??= await mkdtemp(join(tmpdir(), 'llm-jobs-merge-'));
    const path = join(this.#folder, `${this.#paths.size}.jsonl`);
    this.#paths.set(file, path);
    const handle = await open(path, 'wx', 0o600);
    try {
      for await (const chunk of file.open()) {
        await handle.appendFile(chunk);
        yield chunk;
      }
    } finally {
      await handle.close();
    }
  }

  /**
   * Fills the buffer with the bytes at the position.
   *
   * @throws an error if the file has become shorter
   */
  async readAt(file: LineSource, position: number, into: Buffer): Promise<void> {
    const handle = await this.#handle(file);
    let at = 0;
    while (at < into.length) {
      const { bytesRead } = await handle.read(into, at, into.length - at, position + at);
      if (bytesRead === 0) throw new Error(`${file.uri} is shorter than at the first reading`);
      at += bytesRead;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const handle of this.#handles.values()) await handle.close();
    if (this.#folder !== null) await rm(this.#folder, { recursive: true, force: true });
  }

  async #handle(file: LineSource): Promise<FileHandle> {
    const handle = this.#handles.get(file) ?? (await open(this.#paths.get(file)!, 'r'));
    this.#handles.delete(file);
    this.#handles.set(file, handle);
    const [oldest] = this.#handles;
    if (oldest && this.#handles.size > MAX_OPEN_FILES) {
      this.#handles.delete(oldest[0]);
      await oldest[1].close();
    }
    return handle;
  }
}
