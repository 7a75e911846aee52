import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { ApiError, invalidValue, missingParameter } from '../api-error.js';
import type { LocalApiLimits } from '../limits.js';
import type { BodyPart } from '../server/endpoint.js';

/** A multipart body whose file was written to disk. */
interface ReceivedFile {
  readonly path: string;
  readonly filename: string;
  /** The other fields; nested names stay flat, e.g. `expires_after[seconds]`. */
  readonly fields: Record<string, string>;
}

/** Streams a multipart body to disk. @param name the file's field @param newPath called once, when the file begins */
export async function receiveFile(
  parts: AsyncIterable<BodyPart>,
  name: string,
  newPath: () => string,
): Promise<ReceivedFile> {
  const fields: Record<string, string> = {};
  let received: { path: string; filename: string } | undefined;
  let truncated = false;
  for await (const part of parts) {
    if (part.kind === 'field') {
      fields[part.name] = part.value;
    } else if (part.name === name && received === undefined) {
      received = { path: newPath(), filename: part.filename };
      await pipeline(part.stream, createWriteStream(received.path));
      truncated = part.stream.truncated === true;
    } else {
      part.stream.resume();
    }
  }
  if (received === undefined) throw missingParameter(name);
  if (truncated) {
    await rm(received.path);
    throw new ApiError(413, `${received.filename} is too large.`, { param: name, code: 'file_too_large' });
  }
  return { ...received, fields };
}

/** `evals` is accepted too, but the SDK's file object does not list it. */
const PURPOSES = ['assistants', 'batch', 'fine-tune', 'vision', 'user_data', 'evals'] as const;

export type UploadPurpose = Exclude<(typeof PURPOSES)[number], 'evals'>;

export function readPurpose(value: unknown): UploadPurpose {
  if (value === undefined || value === '') throw missingParameter('purpose');
  const purpose = PURPOSES.find((name) => name === value);
  if (purpose === undefined) throw invalidValue('purpose', value, PURPOSES);
  return purpose as UploadPurpose;
}

const JSONL_APIS: Partial<Record<UploadPurpose, string>> = { batch: 'Batch API', 'fine-tune': 'Fine-Tuning API' };

/** Refuses what the Batch and the Fine-Tuning API refuse on upload. */
export function checkUpload(
  { filename, bytes, purpose }: { filename: string; bytes: number; purpose: UploadPurpose },
  limits: Pick<LocalApiLimits, 'fileBytes' | 'batchFileBytes'>,
): void {
  const api = JSONL_APIS[purpose];
  if (api !== undefined && !filename.toLowerCase().endsWith('.jsonl')) {
    throw new ApiError(400, `Invalid file format for ${api}. Must be .jsonl`, { param: 'file' });
  }
  const max = purpose === 'batch' ? limits.batchFileBytes : limits.fileBytes;
  if (bytes > max) {
    throw new ApiError(400, `File is too large: ${bytes} bytes. The maximum for ${purpose} is ${max} bytes.`, {
      param: 'file',
      code: 'file_too_large',
    });
  }
}
