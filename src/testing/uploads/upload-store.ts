import type OpenAI from 'openai';
import type { UploadPurpose } from '../files/receive-file.js';
import { hexId, randomFor } from '../random.js';
import { RecordStore } from '../record-store.js';
import { epochSeconds, type WireFile } from '../wire.js';

interface UploadParams {
  /** Promised bytes. */
  readonly bytes: number;
  readonly filename: string;
  readonly purpose: UploadPurpose;
  /** Seconds after the creation of the file; null: the purpose decides. */
  readonly expiresAfter: number | null;
}

/** A file that is being uploaded in parts. */
export interface UploadRecord extends UploadParams {
  readonly id: string;
  /** Epoch ms. */
  readonly createdAt: number;
  readonly parts: Map<string, { readonly path: string; readonly bytes: number }>;
  end: { readonly status: 'completed'; readonly file: WireFile } | { readonly status: 'cancelled' } | null;
}

/** An upload that is not completed expires after an hour. */
const LIFETIME_MS = 3_600_000;

export class UploadStore extends RecordStore<UploadRecord, { readonly seed: number }> {
  create(params: UploadParams, now: number): UploadRecord {
    return this.insert({ ...params, id: `upload_${this.#newId()}`, createdAt: now, parts: new Map(), end: null });
  }

  newPartId(): string {
    return `part_${this.#newId()}`;
  }

  #newId(): string {
    return hexId(32, randomFor(this.options.seed, 'upload', this.nextNumber()));
  }
}

export function uploadStatus(record: UploadRecord, now: number): OpenAI.Upload['status'] {
  return record.end?.status ?? (now < record.createdAt + LIFETIME_MS ? 'pending' : 'expired');
}

/** The upload as the API shows it at `now`. */
export function uploadObject(record: UploadRecord, now: number): OpenAI.Upload {
  return {
    object: 'upload',
    id: record.id,
    bytes: record.bytes,
    created_at: epochSeconds(record.createdAt),
    expires_at: epochSeconds(record.createdAt + LIFETIME_MS),
    filename: record.filename,
    purpose: record.purpose,
    status: uploadStatus(record, now),
    file: record.end?.status === 'completed' ? record.end.file : null,
  } satisfies OpenAI.Upload;
}
