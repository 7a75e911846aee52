import type OpenAI from 'openai';
import { rm, stat } from 'node:fs/promises';
import { invalidValue, notFoundFor } from '../api-error.js';
import { jsonEndpoint, type ApiState } from '../api-state.js';
import { readExpiresAfter } from '../body-params.js';
import type { Endpoint, ServedCall } from '../server/endpoint.js';
import { pageOf, readPageQuery, type ListPage } from '../server/paging.js';
import type { WireFile } from '../wire.js';
import { contentAnswer } from './file-content.js';
import { fileObject, type StoredFile } from './file-store.js';
import { checkUpload, readPurpose, receiveFile } from './receive-file.js';

const PATH = '/v1/files';
const MAX_PAGE = 10_000;

export function fileEndpoints(state: ApiState): Endpoint[] {
  return [
    {
      operation: 'files.create',
      method: 'POST',
      path: PATH,
      handle: async (call) => ({ json: await createFile(state, call) }),
    },
    jsonEndpoint(state, { operation: 'files.list', method: 'GET', path: PATH }, listFiles),
    jsonEndpoint(state, { operation: 'files.retrieve', method: 'GET', path: `${PATH}/:id` }, retrieveFile),
    {
      operation: 'files.content',
      method: 'GET',
      path: `${PATH}/:id/content`,
      handle: (call) => state.atCurrentTime((now) => contentAnswer(findFile(state, call, now), call.headers.range)),
    },
    jsonEndpoint(state, { operation: 'files.delete', method: 'DELETE', path: `${PATH}/:id` }, deleteFile),
  ];
}

function findFile({ files }: ApiState, call: ServedCall, now: number): StoredFile {
  const file = files.findAvailable(call.id ?? '', now);
  if (file === undefined) throw notFoundFor(call);
  return file;
}

/** Receives the body before its turn, so that a slow upload does not delay other requests. */
async function createFile(state: ApiState, call: ServedCall): Promise<WireFile> {
  const { path, filename, fields } = await receiveFile(call.parts(), 'file', () => state.files.newPath());
  try {
    const purpose = readPurpose(fields.purpose);
    const { size } = await stat(path);
    checkUpload({ filename, bytes: size, purpose }, state.limits);
    const now = await state.now();
    const file = await state.files.add({
      path,
      filename,
      purpose,
      createdAt: now,
      expiresAfter: readExpiresAfter('expires_after', nestedFields(fields, 'expires_after')),
      processedAt: now + state.fileProcessingMs,
    });
    return fileObject(file, now);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

function listFiles({ files }: ApiState, call: ServedCall, now: number): ListPage<WireFile> {
  const { order = 'desc', purpose } = call.query;
  if (order !== 'asc' && order !== 'desc') throw invalidValue('order', order, ['asc', 'desc']);
  const query = readPageQuery(call, { defaultLimit: MAX_PAGE, maxLimit: MAX_PAGE });
  const listed = files
    .listAvailable(now)
    .filter((file) => purpose === undefined || file.purpose === purpose)
    .map((file) => fileObject(file, now));
  return pageOf(order === 'asc' ? listed.toReversed() : listed, query);
}

function retrieveFile(state: ApiState, call: ServedCall, now: number): WireFile {
  return fileObject(findFile(state, call, now), now);
}

function deleteFile(state: ApiState, call: ServedCall, now: number): OpenAI.FileDeleted {
  const file = findFile(state, call, now);
  file.deleted = true;
  return { object: 'file', id: file.id, deleted: true };
}

/** `{ 'name[key]': value }` as `{ key: value }`; undefined for fields without that name. */
function nestedFields(fields: Record<string, string>, name: string): Record<string, string> | undefined {
  const entries = Object.entries(fields).flatMap(([field, value]) =>
    field.startsWith(`${name}[`) && field.endsWith(']') ? [[field.slice(name.length + 1, -1), value] as const] : [],
  );
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
