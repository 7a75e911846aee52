/** Files at the provider: upload from storage, delete. */
import { createHash, type Hash } from 'node:crypto';
import { activityInfo, cancellationSignal, log } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { CheckedFile } from '../contract/checked-file.js';
import type { FileActivities, UploadFileInput } from '../contract/activities/files.js';
import { invalidInput } from '../contract/failures.js';
import { FILE_LIMITS, PAGE_SIZES } from '../contract/limits.js';
import { safeParse } from '../contract/safe-parse.js';
import { MARK_BYTES, withoutMark } from '../jsonl/file-start.js';
import { fileObjectSchema, type FileSnapshot } from '../provider/objects/file.js';
import { postFile } from '../provider/upload-form.js';
import type { Storage } from '../storage/storage.js';
import { waitUntilProcessed } from './calls/file-processing.js';
import { listAll } from './calls/list-all.js';
import { providerApi, type ProviderApi } from './calls/provider-api.js';
import type { ActivityContext } from './runtime/context.js';
import { withHeartbeat } from './runtime/heartbeat.js';

/** Attempts of a clean-up before it gives up on a file. A file that stays must not delay a result without end. */
const MAX_DELETE_ATTEMPTS = 5;

/** An upload may take this many times as long as a request without a file, plus one second for each megabyte. */
const UPLOAD_TIMEOUT_FACTOR = 5;
const UPLOAD_BYTES_PER_MS = 1_000;

export class FileActivityGroup implements FileActivities {
  readonly #context: ActivityContext;

  constructor(context: ActivityContext) {
    this.#context = context;
  }

  async uploadFile(input: UploadFileInput): Promise<{ fileId: string; adopted: boolean }> {
    const api = providerApi(this.#context, input.provider);
    return withHeartbeat(async () => {
      if (activityInfo().attempt > 1 || input.mayExist) {
        const earlier = await findUpload(api, input);
        if (earlier) return { fileId: (await waitUntilProcessed(api, earlier)).id, adopted: true };
      }
      const uploaded = await upload(api, this.#context.storage, input);
      return { fileId: (await waitUntilProcessed(api, uploaded)).id, adopted: false };
    });
  }

  async deleteFiles(input: { provider: string; fileIds: string[] }): Promise<{ deleted: string[]; kept: string[] }> {
    const api = providerApi(this.#context, input.provider);
    const deleted: string[] = [];
    const kept: string[] = [];
    for (const fileId of input.fileIds) {
      const { error } = await api.attempt('files.delete', (client) => client.files.delete(fileId));
      if (!error || error.status === 404) {
        deleted.push(fileId);
        continue;
      }
      const failure = api.failure('files.delete', error);
      if (!failure.nonRetryable && activityInfo().attempt < MAX_DELETE_ATTEMPTS) throw failure;
      log.warn('Could not delete a file at the provider', { fileId, status: error.status, code: error.code });
      kept.push(fileId);
    }
    return { deleted, kept };
  }
}

async function upload(api: ProviderApi, storage: Storage, input: UploadFileInput): Promise<FileSnapshot> {
  const { client, fileExpiry } = api.provider;
  const { uri, bytes, sha256 } = input.file;
  if ((await storage.stat(uri))?.bytes !== bytes) throw changedSinceCheck(uri);
  const hash = createHash('sha256');
  const { min, max } = FILE_LIMITS.expiresAfterSeconds;
  const expiresAfter = Math.min(Math.max(Math.round(input.expiresAfterSeconds), min), max);
  const form = {
    filename: uploadName(input),
    bytes: uploadedBytes(input.file),
    content: () => {
      const content = hashing(storage.read(uri), hash);
      return input.file.hasByteOrderMark ? withoutMark(content) : content;
    },
    fields: {
      purpose: input.purpose,
      ...(fileExpiry && {
        'expires_after[anchor]': 'created_at',
        'expires_after[seconds]': String(expiresAfter),
      }),
    },
  };
  const timeout = UPLOAD_TIMEOUT_FACTOR * client.timeout + Math.ceil(bytes / UPLOAD_BYTES_PER_MS);
  const file = await api.call('files.create', fileObjectSchema, (openai) =>
    postFile(openai, form, { timeout, signal: cancellationSignal() }),
  );
  if (hash.digest('hex') !== sha256) {
    await api.attempt('files.delete', (openai) => openai.files.delete(file.id));
    throw changedSinceCheck(uri);
  }
  return file;
}

/** Size of the file at the provider. */
function uploadedBytes({ bytes, hasByteOrderMark = false }: CheckedFile): number {
  return hasByteOrderMark ? bytes - MARK_BYTES : bytes;
}

/** Characters of the hash in a name, by which an upload is adopted only for the same content. */
const HASH_LENGTH = 16;

function uploadName({ filename, file }: UploadFileInput): string {
  return filename.replace(/(?=\.jsonl$)/, `.${file.sha256.slice(0, HASH_LENGTH)}`);
}

async function* hashing(source: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    hash.update(chunk);
    yield chunk;
  }
}

function changedSinceCheck(uri: string): ApplicationFailure {
  const message = 'the file changed after it was checked; start again once nothing writes to it';
  return invalidInput({ faults: [{ message }], total: 1 }, `${uri}: `);
}

/**
 * The complete file of this name that an earlier attempt uploaded; null if there is none. Lists newest first and stops
 * at `notBefore`.
 */
async function findUpload(api: ProviderApi, input: UploadFileInput): Promise<FileSnapshot | null> {
  const filename = uploadName(input);
  const bytes = uploadedBytes(input.file);
  const query = { purpose: input.purpose, order: 'desc', limit: PAGE_SIZES.files };
  try {
    for await (const object of listAll(api, 'files.list', '/files', query)) {
      const reading = safeParse(fileObjectSchema, object);
      if (!reading.success) continue;
      const file = reading.data;
      if (file.createdAt !== null && file.createdAt < input.notBefore) return null;
      if (file.filename === filename && file.bytes === bytes && file.status !== 'error') return file;
    }
  } catch (error) {
    // Without permission to list, an earlier upload cannot be adopted. A second one costs nothing, and the first
    // expires.
    if (!(error instanceof ApplicationFailure) || !error.nonRetryable) throw error;
    log.warn('Cannot list the files at the provider; uploading the file again', { reason: error.message });
  }
  return null;
}
