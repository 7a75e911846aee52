import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { STREAM_CHUNK_BYTES } from '../jsonl/chunked-buffer.js';
import type { ObjectInfo, ReadOptions, StorageBackend } from './backend.js';
import { StorageError } from './storage-error.js';
import { isUsableName, shownUri } from './uri.js';

/** Names of files that are being written. A killed worker leaves them behind; `list` passes over them. */
const PARTIAL = /^\.llm-jobs-[0-9a-f-]{36}\.part$/;
/** A partial file that nobody has written to for so long belongs to a dead worker. */
const ABANDONED_AFTER_MS = 24 * 3_600 * 1_000;

/** Errors of the file system that may pass by themselves. */
const PASSING = new Set(['EAGAIN', 'EBUSY', 'EDQUOT', 'EIO', 'EMFILE', 'ENFILE', 'ENOMEM', 'ENOSPC', 'ESTALE']);

/**
 * Files below the roots. A symbolic link may lead to any place below a root but not outside: links are resolved before a file is
 * opened and before a folder is made. (It guards against what a caller asks for, not against somebody who exchanges folders
 * on the worker's own disk at the same moment.)
 */
export class FileBackend implements StorageBackend {
  readonly scheme = 'file';
  readonly #roots: string[];

  constructor(options: { roots: readonly URL[] }) {
    this.#roots = options.roots.map((root) => fileURLToPath(root));
  }

  async stat(uri: URL): Promise<ObjectInfo | null> {
    return guarded(uri, async () => {
      const path = await this.#existing(uri);
      if (path === null) return null;
      const found = await stat(path);
      if (!found.isFile()) throw notAFile(uri);
      return { uri: uri.href, bytes: found.size, modifiedAt: Math.floor(found.mtimeMs / 1_000) };
    });
  }

  async *read(uri: URL, { start, reuse }: ReadOptions = { start: 0 }): AsyncGenerator<Uint8Array> {
    const handle = await guarded(uri, () => this.#openForReading(uri));
    /** The one that is filled next; the other one is with the reader. */
    let [spare, other] = reuse ? [newChunk(), newChunk()] : [];
    const readAhead = (position: number): Promise<Buffer> => {
      const reading = readChunk(handle, position, spare ?? newChunk());
      [spare, other] = [other, spare];
      // It may fail before the reader asks for it, and is then told when it does.
      reading.catch(() => undefined);
      return reading;
    };
    let next = readAhead(start);
    try {
      for (let position = start; ;) {
        const pending = next;
        const chunk = await guarded(uri, () => pending);
        if (chunk.length === 0) return;
        position += chunk.length;
        next = readAhead(position);
        yield chunk;
      }
    } finally {
      await next.catch(() => undefined);
      await handle.close();
    }
  }

  async write(uri: URL, source: AsyncIterable<Uint8Array>): Promise<{ bytes: number }> {
    const { target, partial, handle } = await guarded(uri, () => this.#openForWriting(uri));
    let bytes = 0;
    // While a chunk is written the source makes the next one.
    let writing: Promise<void> = Promise.resolve();
    try {
      try {
        for await (const chunk of source) {
          await writing;
          writing = guarded(uri, () => writeAll(handle, chunk));
          // It may fail before it is awaited.
          writing.catch(() => undefined);
          bytes += chunk.byteLength;
        }
        await writing;
        await guarded(uri, () => handle.sync());
      } finally {
        await writing.catch(() => undefined);
        await handle.close();
      }
      await guarded(uri, () => rename(partial, target));
    } catch (error) {
      await rm(partial, { force: true }).catch(() => undefined);
      throw error;
    }
    await syncFolder(dirname(target));
    return { bytes };
  }

  async *list(prefix: URL): AsyncGenerator<ObjectInfo> {
    const path = fileURLToPath(prefix);
    // A root written without its slash is the folder, not the beginning of its siblings' names.
    const isFolder = path.endsWith(sep) || this.#roots.some((root) => samePath(root, path));
    const folder = isFolder ? path : dirname(path);
    const real = await guarded(prefix, () => this.#existing(pathToFileURL(folder)));
    if (real === null || !(await guarded(prefix, () => stat(real))).isDirectory()) return;
    yield* this.#walk(prefix, folder, isFolder ? '' : basename(path));
  }

  async delete(uri: URL): Promise<void> {
    await guarded(uri, async () => {
      const path = fileURLToPath(uri);
      if ((await this.#existing(uri)) === null) return;
      if ((await lstat(path)).isDirectory()) throw notAFile(uri);
      await rm(path, { force: true });
    });
  }

  async *#walk(prefix: URL, folder: string, start: string): AsyncGenerator<ObjectInfo> {
    const entries = await guarded(prefix, () => readdir(folder, { withFileTypes: true }));
    const keyed = entries
      .filter((entry) => entry.name.startsWith(start) && isUsableName(entry.name) && !PARTIAL.test(entry.name))
      .map((entry) => ({ entry, key: Buffer.from(entry.isDirectory() ? `${entry.name}/` : entry.name) }))
      .toSorted((a, b) => Buffer.compare(a.key, b.key));
    for (const { entry } of keyed) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        yield* this.#walk(prefix, path, '');
      } else if (entry.isFile() || entry.isSymbolicLink()) {
        const info = await this.stat(pathToFileURL(path)).catch((error: unknown) => {
          // A link to a folder or to outside, or a file that is not ours to see, is no object of this storage.
          if (error instanceof StorageError && !error.retryable) return null;
          throw error;
        });
        if (info) yield info;
      }
    }
  }

  async #openForReading(uri: URL): Promise<FileHandle> {
    const path = await this.#existing(uri);
    if (path === null) throw new StorageError('NotFound', shownUri(uri.href), `${shownUri(uri.href)} does not exist`);
    // Looked at before it is opened: to open a named pipe would wait for a writer.
    if (!(await stat(path)).isFile()) throw notAFile(uri);
    return open(path, 'r');
  }

  async #openForWriting(uri: URL): Promise<{ target: string; partial: string; handle: FileHandle }> {
    const path = fileURLToPath(uri);
    const root = this.#roots.find((candidate) => isBelow(candidate, path));
    if (root === undefined || samePath(root, path)) throw this.#outside(uri);
    await mkdir(root, { recursive: true });
    await this.#checkAncestors(uri, dirname(path));
    await mkdir(dirname(path), { recursive: true });
    const folder = await realpath(dirname(path));
    if (!(await this.#isInside(folder))) throw this.#outside(uri);

    const target = join(folder, basename(path));
    const existing = await lstat(target).catch(absent);
    if (existing?.isSymbolicLink()) await this.#existing(uri);
    if (existing && !existing.isFile() && !existing.isSymbolicLink()) throw notAFile(uri);
    await removeAbandoned(folder);
    const partial = join(folder, `.llm-jobs-${randomUUID()}.part`);
    const { O_CREAT, O_EXCL, O_WRONLY } = constants;
    return { target, partial, handle: await open(partial, O_WRONLY | O_CREAT | O_EXCL, 0o666) };
  }

  /** The nearest of the path and its ancestors that exists must lie inside, before any folder is made below it. */
  async #checkAncestors(uri: URL, folder: string): Promise<void> {
    for (let path = folder; ; path = dirname(path)) {
      if (!(await lstat(path).catch(absent))) continue;
      const real = await realpath(path).catch(absent);
      // A link to nothing would let mkdir make folders wherever it points.
      if (real === null || !(await this.#isInside(real))) throw this.#outside(uri);
      return;
    }
  }

  /** The real path of what exists, null when nothing does; refuses what lies outside the roots. */
  async #existing(uri: URL): Promise<string | null> {
    const path = fileURLToPath(uri);
    const root = this.#roots.find((candidate) => isBelow(candidate, path));
    if (root === undefined) throw this.#outside(uri);
    const real = await realpath(path).catch(absent);
    if (real !== null) {
      if (!(await this.#isInside(real))) throw this.#outside(uri);
    } else if ((await realpath(root).catch(absent)) !== null) {
      // Nothing there; but behind a link that leads outside even that is not told.
      await this.#checkAncestors(uri, path);
    }
    return real;
  }

  async #isInside(real: string): Promise<boolean> {
    for (const root of this.#roots) {
      const realRoot = await realpath(root).catch(absent);
      if (realRoot !== null && isBelow(realRoot, real)) return true;
    }
    return false;
  }

  #outside(uri: URL): StorageError {
    const roots = this.#roots.map((root) => shownUri(pathToFileURL(root).href)).slice(0, 5);
    return new StorageError(
      'OutsideRoots',
      shownUri(uri.href),
      `${shownUri(uri.href)} leads outside the storage roots (${roots.join(', ')})`,
    );
  }
}

function isBelow(root: string, path: string): boolean {
  const rest = relative(root, path);
  return rest === '' || (rest !== '..' && !rest.startsWith(`..${sep}`) && !isAbsolute(rest));
}

function samePath(a: string, b: string): boolean {
  return relative(a, b) === '';
}

const newChunk = (): Buffer => Buffer.allocUnsafeSlow(STREAM_CHUNK_BYTES);

async function readChunk(handle: FileHandle, position: number, buffer: Buffer): Promise<Buffer> {
  const { bytesRead } = await handle.read(buffer, 0, STREAM_CHUNK_BYTES, position);
  return buffer.subarray(0, bytesRead);
}

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let offset = 0; offset < chunk.byteLength;) {
    const { bytesWritten } = await handle.write(chunk, offset, chunk.byteLength - offset);
    offset += bytesWritten;
  }
}

/** Makes the rename itself durable. Some file systems cannot, and then the file is whole all the same. */
async function syncFolder(path: string): Promise<void> {
  try {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // Nothing to do: the rename has happened.
  }
}

async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!PARTIAL.test(name)) continue;
    const path = join(folder, name);
    const found = await lstat(path).catch(absent);
    if (found && Date.now() - found.mtimeMs > ABANDONED_AFTER_MS) await rm(path, { force: true });
  }
}

function notAFile(uri: URL): StorageError {
  return new StorageError('NotAFile', shownUri(uri.href), `${shownUri(uri.href)} is not a file`);
}

/** Turns an error of the file system into a `StorageError`. */
async function guarded<T>(uri: URL, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof StorageError) throw error;
    const code = errorCode(error);
    const shown = shownUri(uri.href);
    if (code === 'ENOENT') throw new StorageError('NotFound', shown, `${shown} does not exist`, { cause: error });
    if (code === 'EISDIR' || code === 'ENOTDIR' || code === 'EEXIST') {
      throw new StorageError('NotAFile', shown, `${shown} is not a file, or a part of its path is no folder`, {
        cause: error,
      });
    }
    throw new StorageError('Io', shown, `${shown} could not be read or written: ${code ?? 'unknown error'}`, {
      retryable: code !== undefined && PASSING.has(code),
      cause: error,
    });
  }
}

function absent(error: unknown): null {
  if (errorCode(error) === 'ENOENT') return null;
  throw error;
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
