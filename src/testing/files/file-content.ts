import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { ApiError } from '../api-error.js';
import type { Answer } from '../server/endpoint.js';
import type { StoredFile } from './file-store.js';

interface ByteRange {
  readonly start: number;
  /** Included. */
  readonly end: number;
}

/** The content of a file, or the part of it that a `Range` header asks for. */
export function contentAnswer(file: StoredFile, rangeHeader: string | undefined): Answer {
  if (file.goneStatus !== null) {
    throw new ApiError(file.goneStatus, `The content of ${file.id} has expired.`, { param: 'id' });
  }
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
    stream: (limit = bytes) =>
      limit === 0 ? Readable.from([]) : createReadStream(file.path, { start, end: start + limit - 1 }),
  };
}

/**
 * Reads a `Range` header with one range: `bytes=0-99`, `bytes=100-` or `bytes=-50`. Anything else is ignored, as HTTP
 * allows.
 *
 * @throws a 416 for a range outside of `size` bytes
 */
function readRange(header: string | undefined, size: number): ByteRange | undefined {
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/u.exec(header?.trim() ?? '') ?? [];
  if (from === '' && to === '') return undefined;
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (start >= size || start > end) {
    throw new ApiError(416, 'The requested range cannot be satisfied.', {
      headers: { 'content-range': `bytes */${size}` },
    });
  }
  return { start, end };
}
