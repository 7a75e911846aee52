import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type OpenAI from 'openai';
import { ApiError, invalidType, missingParameter, notFound, notFoundFor } from '../api-error.js';
import { jsonEndpoint, type ApiState } from '../api-state.js';
import { optionalString, readExpiresAfter, readObject, requiredString } from '../body-params.js';
import { fileObject } from '../files/file-store.js';
import { checkUpload, readPurpose, receiveFile } from '../files/receive-file.js';
import type { Endpoint, ServedCall } from '../server/endpoint.js';
import { epochSeconds } from '../wire.js';
import { uploadObject, uploadStatus, type UploadRecord } from './upload-store.js';

const PATH = '/v1/uploads';
const MAX_PART_BYTES = 64 * 1024 * 1024;

/** Uploads in parts. As in the API, there is no endpoint to read one. */
export function uploadEndpoints(state: ApiState): Endpoint[] {
  return [
    jsonEndpoint(state, { operation: 'uploads.create', method: 'POST', path: PATH }, createUpload),
    {
      operation: 'uploads.addPart',
      method: 'POST',
      path: `${PATH}/:id/parts`,
      handle: async (call) => ({ json: await addPart(state, call) }),
    },
    jsonEndpoint(
      state,
      { operation: 'uploads.complete', method: 'POST', path: `${PATH}/:id/complete` },
      completeUpload,
    ),
    jsonEndpoint(state, { operation: 'uploads.cancel', method: 'POST', path: `${PATH}/:id/cancel` }, cancelUpload),
  ];
}

function findPending({ uploads }: ApiState, call: ServedCall, now: number): UploadRecord {
  const record = uploads.find(call.id ?? '');
  if (record === undefined) throw notFoundFor(call);
  const status = uploadStatus(record, now);
  if (status !== 'pending') throw new ApiError(400, `Upload ${record.id} is not pending: its status is '${status}'.`);
  return record;
}

function createUpload({ uploads, limits }: ApiState, call: ServedCall, now: number): OpenAI.Upload {
  const body = readObject(call.body);
  const { bytes } = body;
  if (bytes === undefined) throw missingParameter('bytes');
  if (typeof bytes !== 'number' || !Number.isInteger(bytes)) throw invalidType('bytes', 'an integer', bytes);
  const filename = requiredString(body, 'filename');
  requiredString(body, 'mime_type');
  const purpose = readPurpose(body.purpose);
  checkUpload({ filename, bytes, purpose }, limits);
  const expiresAfter = readExpiresAfter('expires_after', body.expires_after);
  return uploadObject(uploads.create({ bytes, filename, purpose, expiresAfter }, now), now);
}

/** Receives the part before its turn, so that a slow upload does not delay other requests. */
async function addPart(state: ApiState, call: ServedCall): Promise<OpenAI.Uploads.UploadPart> {
  const { path } = await receiveFile(call.parts(), 'data', () => state.files.newPath());
  const { size } = await stat(path);
  return state.atCurrentTime(async (now) => {
    const record = findPending(state, call, now);
    if (size > MAX_PART_BYTES) {
      await rm(path);
      throw new ApiError(400, `Part is too large: ${size} bytes. The maximum is ${MAX_PART_BYTES} bytes.`, {
        param: 'data',
      });
    }
    const id = state.uploads.newPartId();
    record.parts.set(id, { path, bytes: size });
    return { object: 'upload.part', id, created_at: epochSeconds(now), upload_id: record.id };
  });
}

async function completeUpload(state: ApiState, call: ServedCall, now: number): Promise<OpenAI.Upload> {
  const record = findPending(state, call, now);
  const body = readObject(call.body);
  const { part_ids: ids } = body;
  if (!Array.isArray(ids)) throw missingParameter('part_ids');
  const parts = ids.map((id) => {
    const part = record.parts.get(String(id));
    if (part === undefined) throw notFound('UploadPart', String(id));
    return part;
  });
  const total = parts.reduce((sum, part) => sum + part.bytes, 0);
  if (total !== record.bytes) {
    throw new ApiError(400, `The parts have ${total} bytes in all, but the upload was created for ${record.bytes}.`, {
      param: 'part_ids',
    });
  }
  const path = state.files.newPath();
  const md5 = await joinParts(
    parts.map((part) => part.path),
    path,
  );
  const expectedMd5 = optionalString(body, 'md5');
  if (expectedMd5 !== null && expectedMd5 !== md5) {
    await rm(path);
    throw new ApiError(400, `The md5 of the parts is ${md5}, not ${expectedMd5}.`, { param: 'md5' });
  }
  const { filename, purpose, expiresAfter } = record;
  const processedAt = now + state.fileProcessingMs;
  const file = await state.files.add({ path, filename, purpose, createdAt: now, expiresAfter, processedAt });
  record.end = { status: 'completed', file: fileObject(file, now) };
  return uploadObject(record, now);
}

/** Writes the parts one after another. Returns the md5 of the whole in hex. */
async function joinParts(parts: readonly string[], path: string): Promise<string> {
  const hash = createHash('md5');
  await pipeline(async function* () {
    for (const part of parts) {
      for await (const chunk of createReadStream(part) as AsyncIterable<Buffer>) {
        hash.update(chunk);
        yield chunk;
      }
    }
  }, createWriteStream(path));
  return hash.digest('hex');
}

function cancelUpload(state: ApiState, call: ServedCall, now: number): OpenAI.Upload {
  const record = findPending(state, call, now);
  record.end = { status: 'cancelled' };
  return uploadObject(record, now);
}
