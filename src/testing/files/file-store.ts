import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { alphanumericId, randomFor } from '../random.js';
import { epochSeconds, type WireFile } from '../wire.js';

/** Batch files go after 30 days unless their creator says otherwise. */
export const BATCH_FILE_SECONDS = 30 * 24 * 3600;

/** A stored file. Its bytes lie on disk and stay there until the local API closes, for running jobs read them. */
export interface StoredFile {
  readonly id: string;
  readonly path: string;
  readonly bytes: number;
  /** Epoch ms. */
  readonly createdAt: number;
  readonly filename: string;
  readonly purpose: WireFile['purpose'];
  /** Epoch ms; undefined: kept until deleted. */
  readonly expiresAt: number | undefined;
  /** Epoch ms when it turns from `uploaded` to `processed`. */
  readonly processedAt: number;
  deleted: boolean;
  /** The status with which its content is refused, for scenarios. */
  goneStatus?: 404 | 410;
}

export interface NewFile {
  readonly path: string;
  readonly filename: string;
  readonly purpose: WireFile['purpose'];
  readonly createdAt: number;
  /** Seconds after creation. */
  readonly expiresAfter?: number | undefined;
  readonly processedAt?: number;
}

export class FileStore {
  readonly folder: string;
  readonly #seed: number;
  readonly #files = new Map<string, StoredFile>();
  #paths = 0;
  #ids = 0;

  constructor(folder: string, seed: number) {
    this.folder = folder;
    this.#seed = seed;
  }

  /** A fresh path to write to before the file is added. */
  newPath(): string {
    return join(this.folder, `${++this.#paths}.bin`);
  }

  async add(file: NewFile): Promise<StoredFile> {
    const { size } = await stat(file.path);
    const stored: StoredFile = {
      id: `file-${alphanumericId(22, randomFor(this.#seed, 'file', this.#ids++))}`,
      path: file.path,
      bytes: size,
      createdAt: file.createdAt,
      filename: file.filename,
      purpose: file.purpose,
      expiresAt: file.expiresAfter === undefined ? undefined : file.createdAt + file.expiresAfter * 1000,
      processedAt: file.processedAt ?? file.createdAt,
      deleted: false,
    };
    this.#files.set(stored.id, stored);
    return stored;
  }

  /** The file, unless it is deleted or expired at `now`. */
  find(id: string, now: number): StoredFile | undefined {
    const file = this.#files.get(id);
    return file !== undefined && isLive(file, now) ? file : undefined;
  }

  /** Where the bytes of a file lie, even of one that is deleted or expired: a running job has read it before. */
  pathOf(id: string): string | undefined {
    return this.#files.get(id)?.path;
  }

  /** All live files, newest first. */
  list(now: number): StoredFile[] {
    return [...this.#files.values()]
      .filter((file) => isLive(file, now))
      .toReversed()
      .toSorted((a, b) => b.createdAt - a.createdAt);
  }

  /** Bytes `start` … `end` (inclusive) of the file. */
  read(file: StoredFile, start = 0, end = file.bytes - 1): Readable {
    return createReadStream(file.path, { start, end: Math.max(end, 0) });
  }
}

function isLive(file: StoredFile, now: number): boolean {
  return !file.deleted && (file.expiresAt === undefined || now < file.expiresAt);
}

/** The file as the API shows it at `now`. */
export function fileObject(file: StoredFile, now: number): WireFile {
  return {
    object: 'file',
    id: file.id,
    purpose: file.purpose,
    filename: file.filename,
    bytes: file.bytes,
    created_at: epochSeconds(file.createdAt),
    ...(file.expiresAt === undefined ? {} : { expires_at: epochSeconds(file.expiresAt) }),
    status: now < file.processedAt ? 'uploaded' : 'processed',
  } satisfies WireFile;
}
