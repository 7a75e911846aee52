import { createHash } from 'node:crypto';
import type { FileRef } from '../contract/file-ref.js';
import { STREAM_CHUNK_BYTES } from '../jsonl/chunked-buffer.js';
import type { ListOptions, ObjectInfo, ReadOptions, StorageBackend } from './backend.js';
import { FileBackend } from './file-backend.js';
import { S3Backend } from './s3/s3-backend.js';
import { StorageError } from './storage-error.js';
import { isUsableName, isWithin, parseUri, shownUri, type StorageUri } from './uri.js';

const NEWLINE = 10;
/** Files of a folder that are deleted at a time. */
const DELETED_TOGETHER = 16;
/** Messages list at most this many roots. */
const MAX_SHOWN_ROOTS = 5;

/** What a storage reaches. */
export interface StorageOptions {
  /**
   * URIs of the folders in which files may be read and written, with or without a slash at the end. Results are written
   * below the first unless a spec has an `outputUri`.
   */
  readonly roots: readonly string[];
  /**
   * Backends for other schemes, or instead of the built-in ones for `file:` and `s3:`.
   *
   * @example an S3-compatible service that is not configured by environment variables
   * ```ts
   * const s3 = new S3Backend({ endpoint: 'https://s3.example.com' });
   * new Storage({ roots: ['s3://bucket/jobs/'], backends: [s3] });
   * ```
   */
  readonly backends?: readonly StorageBackend[];
}

/**
 * Reads and writes files by URI, only below the configured roots.
 *
 * @throws StorageError from every method: `OutsideRoots`, `BadUri`, `UnsupportedScheme`, `NotAFile`, `NotFound`, `Io`
 */
export class Storage {
  /** URI of the first root, with a slash at the end. */
  readonly defaultRoot: string;
  readonly #roots: readonly StorageUri[];
  readonly #backends: ReadonlyMap<string, StorageBackend>;

  /**
   * Checks the roots. Nothing is opened.
   *
   * @throws StorageError for an invalid root; TypeError without any root
   */
  constructor(options: StorageOptions) {
    this.#roots = options.roots.map((root) => parseUri(root));
    const [first] = this.#roots;
    if (!first) throw new TypeError('storage needs at least one root');
    this.defaultRoot = withSlash(first.url.href);
    const fileRoots = this.#roots.filter((root) => root.scheme === 'file').map((root) => root.url);
    const backends = [...(options.backends ?? [])];
    if (fileRoots.length > 0) backends.unshift(new FileBackend({ roots: fileRoots }));
    const needsS3 = this.#roots.some((root) => root.scheme === 's3') && !backends.some(({ scheme }) => scheme === 's3');
    if (needsS3) backends.unshift(new S3Backend());
    this.#backends = new Map(backends.map((backend) => [backend.scheme, backend]));
    for (const root of this.#roots) this.#backendOf(root);
  }

  /** URIs of all roots, with a slash at the end. */
  get roots(): string[] {
    return this.#roots.map((root) => withSlash(root.url.href));
  }

  /**
   * The URI of a path below `base`. Each segment is one file or folder name, which is encoded; it is refused if it is
   * empty, `.` or `..` or contains a slash. `safeName` turns any text into such a name.
   */
  resolve(base: string, ...segments: string[]): string {
    const { uri } = this.#locate(base);
    const unusable = segments.find((segment) => !isUsableName(segment));
    if (unusable !== undefined) {
      throw new StorageError(
        'BadUri',
        shownUri(base),
        `${JSON.stringify(shownUri(unusable))} is not a valid name below ${shownUri(base)}`,
      );
    }
    const joined = withSlash(uri.url.href) + segments.map((segment) => encodeURIComponent(segment)).join('/');
    return this.#locate(joined).uri.url.href;
  }

  /** Null if there is no such file. */
  async stat(uri: string): Promise<ObjectInfo | null> {
    const { backend, url } = this.#locateFile(uri);
    return backend.stat(url);
  }

  /** The bytes of a file, from `start` to the end. */
  async *read(uri: string, options?: Partial<ReadOptions>): AsyncGenerator<Uint8Array> {
    const { backend, url } = this.#locateFile(uri);
    yield* backend.read(url, { start: 0, ...options });
  }

  /**
   * Writes a file, all or nothing. If the source throws, no part of the file remains, an existing file of that name
   * keeps its content, and the source's error is thrown unchanged.
   */
  async write(uri: string, source: AsyncIterable<Uint8Array | string>): Promise<FileRef> {
    const { backend, url } = this.#locateFile(uri);
    const hash = createHash('sha256');
    let bytes = 0;
    let newlines = 0;
    let last = NEWLINE;
    const { bytes: written } = await backend.write(
      url,
      (async function* () {
        for await (const piece of gathered(source)) {
          hash.update(piece);
          bytes += piece.length;
          newlines += countNewlines(piece);
          last = piece[piece.length - 1]!;
          yield piece;
        }
      })(),
    );
    if (written !== bytes) {
      throw new StorageError('Io', shownUri(uri), `${shownUri(uri)}: only ${written} of ${bytes} bytes were written`, {
        retryable: true,
      });
    }
    return { uri: url.href, bytes, lines: newlines + (last === NEWLINE ? 0 : 1), sha256: hash.digest('hex') };
  }

  /** All files whose URI begins with the prefix, sorted by the bytes of their path. */
  async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<ObjectInfo> {
    const { backend, uri } = this.#locate(prefix);
    yield* backend.list(this.#listedPrefix(uri), options);
  }

  /** Whether `list` of the prefix contains every file in the folder. */
  isUnder(prefix: string, folder: string): boolean {
    const { url } = parseUri(this.#listedPrefix(this.#locate(prefix).uri).href);
    const { uri } = this.#locate(folder);
    const path = decodeURIComponent(withSlash(uri.url.pathname));
    return (
      uri.url.protocol === url.protocol && uri.host === url.host && path.startsWith(decodeURIComponent(url.pathname))
    );
  }

  /** A root without a slash at the end means the folder; other folders whose names begin alike are outside. */
  #listedPrefix(uri: StorageUri): URL {
    const isRoot = this.#roots.some((root) => isWithin(uri, root));
    return isRoot ? new URL(withSlash(uri.url.href)) : uri.url;
  }

  /** Deletes a file; does nothing if it is absent. */
  async delete(uri: string): Promise<void> {
    const { backend, url } = this.#locateFile(uri);
    await backend.delete(url);
  }

  /** Deletes all files below a folder; does nothing if it is absent. A root is refused. */
  async deleteFolder(uri: string): Promise<void> {
    const { backend, url } = this.#locateFile(uri.replace(/\/$/, ''));
    const folder = new URL(withSlash(url.href));
    if (backend.deleteFolder) return backend.deleteFolder(folder);
    let deleting: Promise<void>[] = [];
    for await (const file of backend.list(folder)) {
      deleting.push(backend.delete(new URL(file.uri)));
      if (deleting.length < DELETED_TOGETHER) continue;
      await Promise.all(deleting);
      deleting = [];
    }
    await Promise.all(deleting);
  }

  #locateFile(uri: string): { backend: StorageBackend; url: URL } {
    const { backend, uri: parsed } = this.#locate(uri);
    const isRoot = this.#roots.some((root) => isWithin(parsed, root));
    if (parsed.isFolder || isRoot) {
      throw new StorageError('NotAFile', shownUri(uri), `${shownUri(uri)} is a folder, not a file`);
    }
    return { backend, url: parsed.url };
  }

  #locate(uri: string): { backend: StorageBackend; uri: StorageUri } {
    const parsed = parseUri(uri);
    const backend = this.#backendOf(parsed);
    if (!this.#roots.some((root) => isWithin(root, parsed))) {
      throw new StorageError(
        'OutsideRoots',
        shownUri(uri),
        `${shownUri(uri)} is outside the storage roots (${this.#shownRoots()})`,
      );
    }
    return { backend, uri: parsed };
  }

  #backendOf(uri: StorageUri): StorageBackend {
    const backend = this.#backends.get(uri.scheme);
    if (backend) return backend;
    const shown = shownUri(uri.url.href);
    throw new StorageError(
      'UnsupportedScheme',
      shown,
      `${shown}: no backend for the scheme ${shownUri(uri.scheme)}: (storage roots: ${this.#shownRoots()})`,
    );
  }

  #shownRoots(): string {
    const shown = this.#roots.slice(0, MAX_SHOWN_ROOTS).map((root) => shownUri(root.url.href));
    const more = this.#roots.length - shown.length;
    return shown.join(', ') + (more > 0 ? ` and ${more} more` : '');
  }
}

function withSlash(uri: string): string {
  return uri.endsWith('/') ? uri : `${uri}/`;
}

function countNewlines(piece: Buffer): number {
  let count = 0;
  for (let at = piece.indexOf(NEWLINE); at !== -1; at = piece.indexOf(NEWLINE, at + 1)) count += 1;
  return count;
}

/** The source as non-empty buffers: large chunks unchanged, small chunks and strings combined to save calls. */
async function* gathered(source: AsyncIterable<Uint8Array | string>): AsyncGenerator<Buffer> {
  let pending: Buffer[] = [];
  let size = 0;
  for await (const chunk of source) {
    const buffer =
      typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (buffer.length === 0) continue;
    pending.push(buffer);
    size += buffer.length;
    if (size < STREAM_CHUNK_BYTES) continue;
    yield pending.length === 1 ? buffer : Buffer.concat(pending, size);
    pending = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(pending, size);
}
