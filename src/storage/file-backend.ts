import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { STREAM_CHUNK_BYTES } from '../jsonl/chunked-buffer.js';
import type { ListOptions, ObjectInfo, ReadOptions, StorageBackend } from './backend.js';
import { StorageError } from './storage-error.js';
import { isUsableName, shownUri } from './uri.js';

/** Names of files that are being written. A killed worker leaves them behind; `list` omits them. */
const PARTIAL_NAME = /^\.llm-jobs-[0-9a-f-]{36}\.part$/;
/** A partial file that has not changed for this long belongs to a dead worker. */
const ABANDONED_AFTER_MS = 24 * 3_600 * 1_000;

/** Error codes of the file system that may be transient. */
const TRANSIENT_CODES = new Set(['EAGAIN', 'EBUSY', 'EDQUOT', 'EIO', 'EMFILE', 'ENFILE', 'ENOMEM', 'ENOSPC', 'ESTALE']);

/**
 * Files below the roots. New files and folders get the permissions that the umask of the process leaves: under the usual
 * 022 everybody can read them; start the worker under `umask 077` to keep results to its user. A symbolic link may point anywhere below a root, but not outside: links are resolved before a
 * file is opened and before a folder is created. This protects against hostile URIs, not against a process that
 * replaces folders on the worker's disk between the check and the access.
 */
export class FileBackend implements StorageBackend {
  readonly scheme = 'file';
  readonly #roots: readonly string[];

  constructor(options: { readonly roots: readonly URL[] }) {
    this.#roots = options.roots.map((root) => fileURLToPath(root));
  }

  async stat(uri: URL): Promise<ObjectInfo | null> {
    return withStorageErrors(uri, async () => {
      const path = await this.#realPath(uri);
      if (path === null) return null;
      const found = await stat(path);
      if (!found.isFile()) throw notAFile(uri);
      return { uri: uri.href, bytes: found.size, modifiedAt: Math.floor(found.mtimeMs / 1_000) };
    });
  }

  async *read(uri: URL, { start, reuse }: ReadOptions = { start: 0 }): AsyncGenerator<Uint8Array> {
    const handle = await withStorageErrors(uri, () => this.#openForReading(uri));
    // Of two buffers, one is filled while the reader has the other.
    let [nextBuffer, readersBuffer] = reuse ? [newChunk(), newChunk()] : [];
    const readAhead = (position: number): Promise<Buffer> => {
      const reading = readChunk(handle, position, nextBuffer ?? newChunk());
      [nextBuffer, readersBuffer] = [readersBuffer, nextBuffer];
      // Without a handler, a failure before the reader asks for this chunk would count as an unhandled rejection.
      reading.catch(() => undefined);
      return reading;
    };
    let next = readAhead(start);
    try {
      let position = start;
      while (true) {
        const pending = next;
        const chunk = await withStorageErrors(uri, () => pending);
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
    const { target, partial, handle } = await withStorageErrors(uri, () => this.#openForWriting(uri));
    let bytes = 0;
    // A chunk is written while the source produces the next one.
    let writing: Promise<void> = Promise.resolve();
    try {
      try {
        for await (const chunk of source) {
          await writing;
          writing = withStorageErrors(uri, () => writeAll(handle, chunk));
          // Without a handler, a failure before the `await` would count as an unhandled rejection.
          writing.catch(() => undefined);
          bytes += chunk.byteLength;
        }
        await writing;
        await withStorageErrors(uri, () => handle.sync());
      } finally {
        await writing.catch(() => undefined);
        await handle.close();
      }
      await withStorageErrors(uri, () => rename(partial, target));
    } catch (error) {
      await rm(partial, { force: true }).catch(() => undefined);
      throw error;
    }
    await syncFolder(dirname(target));
    return { bytes };
  }

  async *list(prefix: URL, options: ListOptions = {}): AsyncGenerator<ObjectInfo> {
    const path = fileURLToPath(prefix);
    // A root without a slash at the end means the folder, not all names that begin with it.
    const isFolder = path.endsWith(sep) || this.#roots.some((root) => samePath(root, path));
    const folder = isFolder ? path : dirname(path);
    const real = await withStorageErrors(prefix, () => this.#realPath(pathToFileURL(folder)));
    if (real === null || !(await withStorageErrors(prefix, () => stat(real))).isDirectory()) return;
    yield* this.#walk(prefix, folder, isFolder ? '' : basename(path), options);
  }

  async delete(uri: URL): Promise<void> {
    await withStorageErrors(uri, async () => {
      const path = fileURLToPath(uri);
      if ((await this.#realPath(uri)) === null) return;
      if ((await lstat(path)).isDirectory()) throw notAFile(uri);
      await rm(path, { force: true });
    });
  }

  async deleteFolder(uri: URL): Promise<void> {
    await withStorageErrors(uri, async () => {
      const path = fileURLToPath(uri);
      if ((await this.#realPath(uri)) === null) return;
      // What a link points to is not below the folder.
      const isLink = (await lstat(path.replace(/[\\/]$/, ''))).isSymbolicLink();
      if (!isLink) await rm(path, { recursive: true, force: true });
    });
  }

  async *#walk(prefix: URL, folder: string, start: string, options: ListOptions): AsyncGenerator<ObjectInfo> {
    const entries = await withStorageErrors(prefix, () => readdir(folder, { withFileTypes: true }));
    const keyed = entries
      .filter((entry) => entry.name.startsWith(start) && !PARTIAL_NAME.test(entry.name))
      .map((entry) => ({ entry, key: Buffer.from(entry.isDirectory() ? `${entry.name}/` : entry.name) }))
      .toSorted((a, b) => Buffer.compare(a.key, b.key));
    for (const { entry } of keyed) {
      const path = join(folder, entry.name);
      if (!isUsableName(entry.name)) {
        options.onUnusable?.(path);
      } else if (entry.isDirectory()) {
        yield* this.#walk(prefix, path, '', options);
      } else if (entry.isFile() || entry.isSymbolicLink()) {
        const info = await this.stat(pathToFileURL(path)).catch((error: unknown) => {
          // Links to folders or out of the roots and unreadable files are not objects of this storage.
          if (error instanceof StorageError && !error.retryable) return null;
          throw error;
        });
        if (info) yield info;
        // A name that is not UTF-8 was decoded to another one, under which there is no file.
        else if (entry.name.includes('\uFFFD')) options.onUnusable?.(path);
      }
    }
  }

  async #openForReading(uri: URL): Promise<FileHandle> {
    const path = await this.#realPath(uri);
    if (path === null) throw new StorageError('NotFound', shownUri(uri.href), `${shownUri(uri.href)} does not exist`);
    // Checked before opening, since opening a named pipe would wait for a writer.
    if (!(await stat(path)).isFile()) throw notAFile(uri);
    return open(path, 'r');
  }

  async #openForWriting(uri: URL): Promise<{ target: string; partial: string; handle: FileHandle }> {
    const path = fileURLToPath(uri);
    const root = this.#roots.find((candidate) => isBelow(candidate, path));
    if (root === undefined || samePath(root, path)) throw this.#outsideRoots(uri);
    await createFolder(root);
    await this.#checkAncestors(uri, dirname(path));
    await createFolder(dirname(path));
    const folder = await realpath(dirname(path));
    if (!(await this.#isInside(folder))) throw this.#outsideRoots(uri);

    const target = join(folder, basename(path));
    const existing = await lstat(target).catch(nullIfAbsent);
    if (existing?.isSymbolicLink()) await this.#realPath(uri);
    if (existing && !existing.isFile() && !existing.isSymbolicLink()) throw notAFile(uri);
    await removeAbandonedFiles(folder);
    const partial = join(folder, `.llm-jobs-${randomUUID()}.part`);
    const { O_CREAT, O_EXCL, O_WRONLY } = constants;
    return { target, partial, handle: await open(partial, O_WRONLY | O_CREAT | O_EXCL, 0o666) };
  }

  /** Refuses the path if its nearest existing ancestor, or the path itself, is outside the roots. */
  async #checkAncestors(uri: URL, folder: string): Promise<void> {
    for (let path = folder; ; path = dirname(path)) {
      if (!(await lstat(path).catch(nullIfAbsent))) continue;
      const real = await realpath(path).catch(nullIfAbsent);
      // A dangling link would let mkdir create folders outside the roots.
      if (real === null || !(await this.#isInside(real))) throw this.#outsideRoots(uri);
      return;
    }
  }

  /** The real path of a file or folder, null if it does not exist; refuses it if it is outside the roots. */
  async #realPath(uri: URL): Promise<string | null> {
    const path = fileURLToPath(uri);
    const root = this.#roots.find((candidate) => isBelow(candidate, path));
    if (root === undefined) throw this.#outsideRoots(uri);
    const real = await realpath(path).catch(nullIfAbsent);
    if (real !== null) {
      if (!(await this.#isInside(real))) throw this.#outsideRoots(uri);
    } else if ((await realpath(root).catch(nullIfAbsent)) !== null) {
      // Behind a link out of the roots, not even the absence of a file is revealed.
      await this.#checkAncestors(uri, path);
    }
    return real;
  }

  async #isInside(real: string): Promise<boolean> {
    for (const root of this.#roots) {
      const realRoot = await realpath(root).catch(nullIfAbsent);
      if (realRoot !== null && isBelow(realRoot, real)) return true;
    }
    return false;
  }

  #outsideRoots(uri: URL): StorageError {
    const roots = this.#roots.map((root) => shownUri(pathToFileURL(root).href)).slice(0, 5);
    return new StorageError(
      'OutsideRoots',
      shownUri(uri.href),
      `${shownUri(uri.href)} is outside the storage roots (${roots.join(', ')})`,
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

/** Creates a folder, and makes each new folder durable: after a crash a synced file must not be in a folder that is not. */
async function createFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  for (let folder = path; isBelow(first, folder); folder = dirname(folder)) await syncFolder(dirname(folder));
}

/** Makes the rename durable. Some file systems do not support this; the file is complete nevertheless. */
async function syncFolder(path: string): Promise<void> {
  try {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // The rename has succeeded, so there is nothing to report.
  }
}

async function removeAbandonedFiles(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!PARTIAL_NAME.test(name)) continue;
    const path = join(folder, name);
    const found = await lstat(path).catch(nullIfAbsent);
    if (found && Date.now() - found.mtimeMs > ABANDONED_AFTER_MS) await rm(path, { force: true });
  }
}

function notAFile(uri: URL): StorageError {
  return new StorageError('NotAFile', shownUri(uri.href), `${shownUri(uri.href)} is not a file`);
}

/** Runs an action; errors of the file system become `StorageError`s. */
async function withStorageErrors<T>(uri: URL, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof StorageError) throw error;
    const code = errorCode(error);
    const shown = shownUri(uri.href);
    if (code === 'ENOENT') throw new StorageError('NotFound', shown, `${shown} does not exist`, { cause: error });
    if (code === 'EISDIR' || code === 'ENOTDIR' || code === 'EEXIST') {
      throw new StorageError('NotAFile', shown, `${shown} is not a file, or a part of its path is not a folder`, {
        cause: error,
      });
    }
    throw new StorageError('Io', shown, `${shown}: cannot be read or written (${code ?? 'unknown error'})`, {
      retryable: code !== undefined && TRANSIENT_CODES.has(code),
      cause: error,
    });
  }
}

function nullIfAbsent(error: unknown): null {
  if (errorCode(error) === 'ENOENT') return null;
  throw error;
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
