import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type OpenAI from 'openai';
import { ApiError, invalidType, missingParameter, notFound } from '../api-error.js';
import { readExpiresAfter } from '../files/expires-after.js';
import { BATCH_FILE_SECONDS, fileObject } from '../files/file-store.js';
import { checkUpload, readPurpose, receiveFile } from '../files/receive-file.js';
import { optionalString, readObject, requiredString } from '../json-body.js';
import type { Endpoint, ServedCall } from '../server/endpoint.js';
import { epochSeconds } from '../wire.js';
import type { World } from '../world.js';
import { uploadObject, UploadStore, uploadStatus, type UploadRecord } from './upload-store.js';

const MAX_PART_BYTES = 64 * 1024 * 1024;

/** Uploads in parts. There is no endpoint to read one, as in the API. */
export function uploadEndpoints(world: World): Endpoint[] {
  const uploads = new UploadStore(world.seed);

  const pending = (call: ServedCall, now: number): UploadRecord => {
    const record = uploads.find(call.id ?? '');
    if (record === undefined) throw notFound('Upload', call.id ?? '');
    const status = uploadStatus(record, now);
    if (status !== 'pending') throw new ApiError(400, `Upload ${record.id} is not pending: its status is '${status}'.`);
    return record;
  };

  const create = (call: ServedCall, now: number): OpenAI.Upload => {
    const body = readObject(call.body);
    const { bytes } = body;
    if (bytes === undefined) throw missingParameter('bytes');
    if (typeof bytes !== 'number' || !Number.isInteger(bytes)) throw invalidType('bytes', 'an integer', bytes);
    const filename = requiredString(body, 'filename');
    requiredString(body, 'mime_type');
    const purpose = readPurpose(body.purpose);
    checkUpload({ filename, bytes, purpose }, world.limits);
    const expiresAfter = readExpiresAfter('expires_after', body.expires_after);
    return uploadObject(uploads.create({ bytes, filename, purpose, expiresAfter, createdAt: now }), now);
  };

  const addPart = async (call: ServedCall): Promise<OpenAI.Uploads.UploadPart> => {
    const { path } = await receiveFile(call.parts(), 'data', () => world.files.newPath());
    const { size } = await stat(path);
    return world.visit(async (now) => {
      const record = pending(call, now);
      if (size > MAX_PART_BYTES) {
        await rm(path);
        throw new ApiError(400, `Part is too large: ${size} bytes. The maximum is ${MAX_PART_BYTES} bytes.`, {
          param: 'data',
        });
      }
      const id = uploads.newPartId();
      record.parts.set(id, { path, bytes: size });
      return { object: 'upload.part', id, created_at: epochSeconds(now), upload_id: record.id };
    });
  };

  const complete = async (call: ServedCall, now: number): Promise<OpenAI.Upload> => {
    const record = pending(call, now);
    const body = readObject(call.body);
    const { part_ids: ids } = body;
    if (!Array.isArray(ids)) throw missingParameter('part_ids');
    const parts = (ids as string[]).map((id) => {
      const part = record.parts.get(id);
      if (part === undefined) throw notFound('UploadPart', id);
      return part;
    });
    const total = parts.reduce((sum, part) => sum + part.bytes, 0);
    if (total !== record.bytes) {
      throw new ApiError(400, `The parts have ${total} bytes in all, but the upload was created for ${record.bytes}.`, {
        param: 'part_ids',
      });
    }
    const path = world.files.newPath();
    const md5 = await joined(
      parts.map((part) => part.path),
      path,
    );
    const wanted = optionalString(body, 'md5');
    if (wanted !== null && wanted !== md5) {
      await rm(path);
      throw new ApiError(400, `The md5 of the parts is ${md5}, not ${wanted}.`, { param: 'md5' });
    }
    const file = await world.files.add({
      path,
      filename: record.filename,
      purpose: record.purpose,
      createdAt: now,
      expiresAfter: record.expiresAfter ?? (record.purpose === 'batch' ? BATCH_FILE_SECONDS : undefined),
      processedAt: now + world.fileProcessingMs,
    });
    record.end = { status: 'completed', file: fileObject(file, now) };
    return uploadObject(record, now);
  };

  return [
    {
      operation: 'uploads.create',
      method: 'POST',
      path: '/v1/uploads',
      handle: (call) => world.visit((now) => ({ json: create(call, now) })),
    },
    {
      operation: 'uploads.addPart',
      method: 'POST',
      path: '/v1/uploads/:id/parts',
      handle: async (call) => ({ json: await addPart(call) }),
    },
    {
      operation: 'uploads.complete',
      method: 'POST',
      path: '/v1/uploads/:id/complete',
      handle: (call) => world.visit(async (now) => ({ json: await complete(call, now) })),
    },
    {
      operation: 'uploads.cancel',
      method: 'POST',
      path: '/v1/uploads/:id/cancel',
      handle: (call) =>
        world.visit((now) => {
          const record = pending(call, now);
          record.end = { status: 'cancelled' };
          return { json: uploadObject(record, now) };
        }),
    },
  ];
}

/** Writes the parts one after another and gives the md5 of the whole in hex. */
async function joined(parts: readonly string[], path: string): Promise<string> {
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
