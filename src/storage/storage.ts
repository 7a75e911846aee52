import { createHash } from 'node:crypto';
import type { FileRef } from '../contract/file-ref.js';
import { STREAM_CHUNK_BYTES } from '../jsonl/chunked-buffer.js';
import type { ObjectInfo, ReadOptions, StorageBackend } from './backend.js';
import { FileBackend } from './file-backend.js';
import { S3Backend } from './s3/s3-backend.js';
import { StorageError } from './storage-error.js';
import { isUsableName, isWithin, parseUri, shownUri, type StorageUri } from './uri.js';

export interface StorageOptions {
  /** URIs of the folders that a worker may touch, with or without a slash at the end. Results land in the first by default. */
  roots: readonly string[];
  /**
   * Backends of further schemes, or in place of the built-in ones of `file:` and `s3:`.
   *
   * @example an S3-compatible service that is not configured by environment
   * ```ts
   * new Storage({ roots: ['s3://bucket/jobs/'], backends: [new S3Backend({ endpoint: 'https://s3.example.com' })] });
   * ```
   */
  backends?: readonly StorageBackend[];
}

/**
 * Files by URI, below the configured roots and nowhere else.
 *
 * @throws StorageError from every method: `OutsideRoots`, `BadUri`, `UnsupportedScheme`, `NotAFile`, `NotFound`, `Io`
 */
export class Storage {
  /** The first root, always with a slash at the end. */
  readonly defaultRoot: string;
  readonly #roots: readonly StorageUri[];
  readonly #backends: ReadonlyMap<string, StorageBackend>;

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

  /** The roots, as they are configured. */
  get roots(): string[] {
    return this.#roots.map((root) => withSlash(root.url.href));
  }

  /**
   * The URI of a name below `base`. Each segment is one name: it is encoded, and refused if it is empty, `.` or `..` or holds a
   * slash. `safeName` makes such a name of any text.
   */
  resolve(base: string, ...segments: string[]): string {
    const { uri } = this.#locate(base);
    const unusable = segments.find((segment) => !isUsableName(segment));
    if (unusable !== undefined) {
      throw new StorageError(
        'BadUri',
        shownUri(base),
        `${JSON.stringify(shownUri(unusable))} cannot be a name below ${shownUri(base)}`,
      );
    }
    const joined = withSlash(uri.url.href) + segments.map((segment) => encodeURIComponent(segment)).join('/');
    return this.#locate(joined).uri.url.href;
  }

  async stat(uri: string): Promise<ObjectInfo | null> {
    const { backend, url } = this.#object(uri);
    return backend.stat(url);
  }

  async *read(uri: string, options?: Partial<ReadOptions>): AsyncGenerator<Uint8Array> {
    const { backend, url } = this.#object(uri);
    yield* backend.read(url, { start: 0, ...options });
  }

  /**
   * Writes a file, all or nothing, and tells what was written. When the source throws, nothing is left of the file, a former one
   * of the same name stays as it was, and the source's error passes unchanged.
   */
  async write(uri: string, source: AsyncIterable<Uint8Array | string>): Promise<FileRef> {
    const { backend, url } = this.#object(uri);
    const hash = createHash('sha256');
    let bytes = 0;
    let newlines = 0;
    let last = NEWLINE;
    const { bytes: written } = await backend.write(
      url,
      (async function* () {
        for await (const piece of inPieces(source)) {
          hash.update(piece);
          bytes += piece.length;
          newlines += countNewlines(piece);
          last = piece[piece.length - 1]!;
          yield piece;
        }
      })(),
    );
    if (written !== bytes) {
      throw new StorageError('Io', shownUri(uri), `${shownUri(uri)}: ${written} of ${bytes} bytes were written`, {
        retryable: true,
      });
    }
    return { uri: url.href, bytes, lines: newlines + (last === NEWLINE ? 0 : 1), sha256: hash.digest('hex') };
  }

  /** All files whose URI begins with the prefix, ordered by the bytes of their path. Nothing there is an empty list. */
  async *list(prefix: string): AsyncGenerator<ObjectInfo> {
    const { backend, uri } = this.#locate(prefix);
    // A root written without its slash is the folder, not the beginning of its siblings' names.
    const isRoot = this.#roots.some((root) => isWithin(uri, root));
    yield* backend.list(isRoot ? new URL(withSlash(uri.url.href)) : uri.url);
  }

  /** An absent file is fine. */
  async delete(uri: string): Promise<void> {
    const { backend, url } = this.#object(uri);
    await backend.delete(url);
  }

  #object(uri: string): { backend: StorageBackend; url: URL } {
    const { backend, uri: parsed } = this.#locate(uri);
    const isRoot = this.#roots.some((root) => isWithin(parsed, root));
    if (parsed.isFolder || isRoot) {
      throw new StorageError('NotAFile', shownUri(uri), `${shownUri(uri)} names a folder, not a file`);
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
        `${shownUri(uri)} lies outside the storage roots (${this.#shownRoots()})`,
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
      `${shown} has the scheme ${shownUri(uri.scheme)}:, and this worker has no storage for it; its roots are ${this.#shownRoots()}`,
    );
  }

  #shownRoots(): string {
    const shown = this.#roots.slice(0, 5).map((root) => shownUri(root.url.href));
    const more = this.#roots.length - shown.length;
    return shown.join(', ') + (more > 0 ? ` and ${more} more` : '');
  }
}

const NEWLINE = 10;

function withSlash(uri: string): string {
  return uri.endsWith('/') ? uri : `${uri}/`;
}

function countNewlines(piece: Buffer): number {
  let count = 0;
  for (let at = piece.indexOf(NEWLINE); at !== -1; at = piece.indexOf(NEWLINE, at + 1)) count++;
  return count;
}

/** The source as non-empty buffers: large chunks as they are, small ones and strings gathered. */
async function* inPieces(source: AsyncIterable<Uint8Array | string>): AsyncGenerator<Buffer> {
  let gathered: Buffer[] = [];
  let size = 0;
  for await (const chunk of source) {
    const buffer =
      typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (buffer.length === 0) continue;
    gathered.push(buffer);
    size += buffer.length;
    if (size < STREAM_CHUNK_BYTES) continue;
    yield gathered.length === 1 ? buffer : Buffer.concat(gathered, size);
    gathered = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(gathered, size);
}
