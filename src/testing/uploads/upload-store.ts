import type OpenAI from 'openai';
import type { UploadPurpose } from '../files/receive-file.js';
import { hexId, randomFor } from '../random.js';
import { epochSeconds, type WireFile } from '../wire.js';

/** A file that is being uploaded in parts. */
export interface UploadRecord {
  readonly id: string;
  /** Promised bytes. */
  readonly bytes: number;
  readonly filename: string;
  readonly purpose: UploadPurpose;
  /** Of the file to be, in seconds. */
  readonly expiresAfter: number | undefined;
  /** Epoch ms. */
  readonly createdAt: number;
  readonly parts: Map<string, { path: string; bytes: number }>;
  end: { status: 'completed'; file: WireFile } | { status: 'cancelled' } | undefined;
}

/** An upload that is not completed goes after an hour. */
const LIFE_MS = 3_600_000;

export class UploadStore {
  readonly #seed: number;
  readonly #records = new Map<string, UploadRecord>();
  #ids = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  create(order: Pick<UploadRecord, 'bytes' | 'filename' | 'purpose' | 'expiresAfter' | 'createdAt'>): UploadRecord {
    const id = `upload_${hexId(32, randomFor(this.#seed, 'upload', this.#ids++))}`;
    const record: UploadRecord = { ...order, id, parts: new Map(), end: undefined };
    this.#records.set(id, record);
    return record;
  }

  find(id: string): UploadRecord | undefined {
    return this.#records.get(id);
  }

  newPartId(): string {
    return `part_${hexId(32, randomFor(this.#seed, 'upload', this.#ids++))}`;
  }
}

export function uploadStatus(record: UploadRecord, now: number): OpenAI.Upload['status'] {
  return record.end?.status ?? (now < record.createdAt + LIFE_MS ? 'pending' : 'expired');
}

/** The upload as the API shows it at `now`. */
export function uploadObject(record: UploadRecord, now: number): OpenAI.Upload {
  return {
    object: 'upload',
    id: record.id,
    bytes: record.bytes,
    created_at: epochSeconds(record.createdAt),
    expires_at: epochSeconds(record.createdAt + LIFE_MS),
    filename: record.filename,
    purpose: record.purpose,
    status: uploadStatus(record, now),
    file: record.end?.status === 'completed' ? record.end.file : null,
  } satisfies OpenAI.Upload;
}
