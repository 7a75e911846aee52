import type OpenAI from 'openai';
import { rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { ApiError, invalidValue, notFound } from '../api-error.js';
import type { Answer, Endpoint, ServedCall } from '../server/endpoint.js';
import { pageOf, readPage } from '../server/paging.js';
import type { World } from '../world.js';
import { readRange } from './byte-range.js';
import { readExpiresAfter } from './expires-after.js';
import { BATCH_FILE_SECONDS, fileObject, type StoredFile } from './file-store.js';
import { checkUpload, readPurpose, receiveFile } from './receive-file.js';

export function fileEndpoints(world: World): Endpoint[] {
  const existing = ({ id = '' }: ServedCall, now: number): StoredFile => {
    const file = world.files.find(id, now);
    if (file === undefined) throw notFound('File', id);
    return file;
  };

  return [
    {
      operation: 'files.create',
      method: 'POST',
      path: '/v1/files',
      handle: async (call) => {
        const received = await receiveFile(call.parts(), 'file', () => world.files.newPath());
        try {
          const purpose = readPurpose(received.fields.purpose);
          const { size } = await stat(received.path);
          checkUpload({ filename: received.filename, bytes: size, purpose }, world.limits);
          const now = await world.now();
          const expiresAfter = readExpiresAfter('expires_after', nested(received.fields, 'expires_after'));
          const file = await world.files.add({
            path: received.path,
            filename: received.filename,
            purpose,
            createdAt: now,
            expiresAfter: expiresAfter ?? (purpose === 'batch' ? BATCH_FILE_SECONDS : undefined),
            processedAt: now + world.fileProcessingMs,
          });
          return { json: fileObject(file, now) };
        } catch (error) {
          await rm(received.path, { force: true });
          throw error;
        }
      },
    },
    {
      operation: 'files.list',
      method: 'GET',
      path: '/v1/files',
      handle: (call) =>
        world.visit((now) => {
          const { order = 'desc', purpose } = call.query;
          if (order !== 'asc' && order !== 'desc') throw invalidValue('order', order, ['asc', 'desc']);
          const page = readPage(call.query, { defaultLimit: 10_000, maxLimit: 10_000 });
          const files = world.files
            .list(now)
            .filter((file) => purpose === undefined || file.purpose === purpose)
            .map((file) => fileObject(file, now));
          return { json: pageOf(order === 'asc' ? files.toReversed() : files, page) };
        }),
    },
    {
      operation: 'files.retrieve',
      method: 'GET',
      path: '/v1/files/:id',
      handle: (call) => world.visit((now) => ({ json: fileObject(existing(call, now), now) })),
    },
    {
      operation: 'files.content',
      method: 'GET',
      path: '/v1/files/:id/content',
      handle: (call) =>
        world.visit((now) => {
          const file = existing(call, now);
          if (file.goneStatus !== undefined) {
            throw new ApiError(file.goneStatus, `The content of ${file.id} has expired.`, { param: 'id' });
          }
          return contentAnswer(world, file, call.headers.range);
        }),
    },
    {
      operation: 'files.delete',
      method: 'DELETE',
      path: '/v1/files/:id',
      handle: (call) =>
        world.visit((now) => {
          const file = existing(call, now);
          file.deleted = true;
          return { json: { object: 'file', id: file.id, deleted: true } satisfies OpenAI.FileDeleted };
        }),
    },
  ];
}

function contentAnswer(world: World, file: StoredFile, rangeHeader: string | undefined): Answer {
  const range = readRange(rangeHeader, file.bytes);
  const start = range?.start ?? 0;
  const bytes = range === undefined ? file.bytes : range.end - range.start + 1;
  return {
    status: range === undefined ? 200 : 206,
    headers: {
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename="${encodeURIComponent(file.filename)}"`,
      'accept-ranges': 'bytes',
      ...(range === undefined ? {} : { 'content-range': `bytes ${range.start}-${range.end}/${file.bytes}` }),
    },
    bytes,
    stream: (limit = bytes) => (limit === 0 ? Readable.from([]) : world.files.read(file, start, start + limit - 1)),
  };
}

/** `{ 'name[key]': value }` as `{ key: value }`. */
function nested(fields: Record<string, string>, name: string): Record<string, string> | undefined {
  const entries = Object.entries(fields).flatMap(([field, value]) =>
    field.startsWith(`${name}[`) && field.endsWith(']') ? [[field.slice(name.length + 1, -1), value] as const] : [],
  );
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
