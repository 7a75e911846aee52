import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { alphanumericId, randomFor } from '../random.js';
import { RecordStore } from '../record-store.js';
import { epochSeconds, type WireFile } from '../wire.js';

const THIRTY_DAYS_SECONDS = 30 * 24 * 3600;

/** The seconds after which files of a purpose expire; others are kept until they are deleted. */
const EXPIRY_SECONDS: Partial<Record<WireFile['purpose'], number>> = {
  batch: THIRTY_DAYS_SECONDS,
  batch_output: THIRTY_DAYS_SECONDS,
};

/** A stored file. Its bytes stay on disk until the local API closes, because jobs in progress read them. */
export interface StoredFile {
  readonly id: string;
  readonly path: string;
  readonly bytes: number;
  /** Epoch ms. */
  readonly createdAt: number;
  readonly filename: string;
  readonly purpose: WireFile['purpose'];
  /** Epoch ms; null: kept until deleted. */
  readonly expiresAt: number | null;
  /** Epoch ms at which the status changes from `uploaded` to `processed`. */
  readonly processedAt: number;
  /** The status with which a scenario refuses the content. */
  readonly goneStatus: 404 | 410 | null;
  deleted: boolean;
}

interface NewFile {
  readonly path: string;
  readonly filename: string;
  readonly purpose: WireFile['purpose'];
  /** Epoch ms. */
  readonly createdAt: number;
  /** Seconds after creation; null: the purpose decides. */
  readonly expiresAfter: number | null;
  /** @default when it is created */
  readonly processedAt?: number;
  readonly goneStatus?: 404 | 410 | undefined;
}

interface FileStoreOptions {
  /** Where the files are kept. */
  readonly folder: string;
  readonly seed: number;
}

export class FileStore extends RecordStore<StoredFile, FileStoreOptions> {
  #paths = 0;

  get folder(): string {
    return this.options.folder;
  }

  /** A new path to write to before the file is added. */
  newPath(): string {
    this.#paths += 1;
    return join(this.folder, `${this.#paths}.bin`);
  }

  async add(file: NewFile): Promise<StoredFile> {
    const { path, filename, purpose, createdAt } = file;
    const { size } = await stat(path);
    const expiresAfter = file.expiresAfter ?? EXPIRY_SECONDS[purpose];
    return this.insert({
      id: `file-${alphanumericId(22, randomFor(this.options.seed, 'file', this.nextNumber()))}`,
      path,
      bytes: size,
      createdAt,
      filename,
      purpose,
      expiresAt: expiresAfter === undefined ? null : createdAt + expiresAfter * 1000,
      processedAt: file.processedAt ?? createdAt,
      goneStatus: file.goneStatus ?? null,
      deleted: false,
    });
  }

  /** The file, unless it is deleted or expired. `find` returns it even then: a job in progress has read it before. */
  findAvailable(id: string, now: number): StoredFile | undefined {
    const file = this.find(id);
    return file !== undefined && isAvailable(file, now) ? file : undefined;
  }

  /** All files that are neither deleted nor expired, newest first. */
  listAvailable(now: number): StoredFile[] {
    return this.list().filter((file) => isAvailable(file, now));
  }
}

function isAvailable({ deleted, expiresAt }: StoredFile, now: number): boolean {
  return !deleted && (expiresAt === null || now < expiresAt);
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
    ...(file.expiresAt === null ? {} : { expires_at: epochSeconds(file.expiresAt) }),
    status: now < file.processedAt ? 'uploaded' : 'processed',
  } satisfies WireFile;
}
