import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ResultFile } from './merge.js';

/** Files open at once: a bulk batch may have thousands. */
const MAX_OPEN = 32;

/** Files for reading at any position: those on this machine as they are, all others copied to a temporary folder while they are read. */
export class LocalFiles implements AsyncDisposable {
  readonly #paths = new Map<ResultFile, string>();
  /** The one used last stands last. */
  readonly #handles = new Map<ResultFile, FileHandle>();
  #folder: string | null = null;

  /** The file's content; when it is read to its end, positions can be read. */
  async *read(file: ResultFile): AsyncGenerator<Uint8Array> {
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

  /** Fills the buffer from this position on. */
  async readAt(file: ResultFile, position: number, into: Buffer): Promise<void> {
    const handle = await this.#handle(file);
    for (let at = 0; at < into.length;) {
      const { bytesRead } = await handle.read(into, at, into.length - at, position + at);
      if (bytesRead === 0) throw new Error(`${file.uri} is shorter than when it was read before`);
      at += bytesRead;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const handle of this.#handles.values()) await handle.close();
    if (this.#folder !== null) await rm(this.#folder, { recursive: true, force: true });
  }

  async #handle(file: ResultFile): Promise<FileHandle> {
    const handle = this.#handles.get(file) ?? (await open(this.#paths.get(file)!, 'r'));
    this.#handles.delete(file);
    this.#handles.set(file, handle);
    const [oldest] = this.#handles;
    if (oldest && this.#handles.size > MAX_OPEN) {
      this.#handles.delete(oldest[0]);
      await oldest[1].close();
    }
    return handle;
  }
}
