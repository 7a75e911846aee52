import { ApiError } from '../api-error.js';

export interface ByteRange {
  readonly start: number;
  /** Inclusive. */
  readonly end: number;
}

/**
 * Reads a `Range` header with one range: `bytes=0-99`, `bytes=100-` or `bytes=-50`. Anything else is ignored, as HTTP
 * allows. @throws a 416 when the range lies outside `size` bytes
 */
export function readRange(header: string | undefined, size: number): ByteRange | undefined {
  const match = /^bytes=(\d*)-(\d*)$/u.exec(header?.trim() ?? '');
  if (match === null || (match[1] === '' && match[2] === '')) return undefined;
  const [, from, to] = match as unknown as [string, string, string];
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (start >= size || start > end) {
    throw new ApiError(416, 'The requested range cannot be satisfied.', {
      headers: { 'content-range': `bytes */${size}` },
    });
  }
  return { start, end };
}
