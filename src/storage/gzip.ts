import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { STREAM_CHUNK_BYTES } from '../jsonl/chunked-buffer.js';
import { StorageError } from './storage-error.js';
import { shownUri } from './uri.js';

/** The first bytes of gzip data: its magic number and its only compression method. */
const MAGIC = Buffer.from([0x1f, 0x8b, 0x08]);

/** Compresses the content with gzip. Errors of the content are thrown unchanged. */
export async function* compressed(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gzip = createGzip({ chunkSize: STREAM_CHUNK_BYTES });
  // Its errors are thrown by the iteration over `gzip`.
  const piping = pipeline(Readable.from(content, { highWaterMark: 1 }), gzip).catch(() => undefined);
  try {
    yield* gzip as AsyncIterable<Uint8Array>;
  } finally {
    gzip.destroy();
    await piping;
  }
}

/**
 * Decompresses the source if it begins with the magic number of gzip, whatever its name is; otherwise returns it
 * unchanged. Several gzip members in a row are one content.
 *
 * Data is decompressed when it is asked for, in chunks of at most 256 KiB, so that a small file which expands to a huge
 * one does not fill the memory. The source may reuse the memory of its chunks.
 *
 * @param uri names the source in errors
 * @throws StorageError `Corrupt` if the gzip data is damaged or cut; errors of the source are thrown unchanged
 */
export async function* decompressed(source: AsyncIterable<Uint8Array>, uri: string): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    const start: Uint8Array[] = [];
    let head = Buffer.alloc(0);
    while (head.length < MAGIC.length) {
      const step = await iterator.next();
      if (step.done) break;
      // The source may reuse the memory of a short chunk, since another one is read before this one is used.
      start.push(step.value.length < MAGIC.length ? Buffer.from(step.value) : step.value);
      head = Buffer.concat([head, step.value.subarray(0, MAGIC.length)]);
    }
    const whole = startingWith(start, iterator);
    yield* head.subarray(0, MAGIC.length).equals(MAGIC) ? gunzipped(copies(whole), uri) : whole;
  } finally {
    await iterator.return?.();
  }
}

async function* startingWith(start: Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* start;
  for (let step = await rest.next(); !step.done; step = await rest.next()) yield step.value;
}

/** Zlib keeps several chunks at a time, and the source may reuse the memory of each. */
async function* copies(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) yield Buffer.from(chunk);
}

async function* gunzipped(source: AsyncIterable<Uint8Array>, uri: string): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: STREAM_CHUNK_BYTES });
  const input = Readable.from(source, { highWaterMark: 1 });
  // Its errors are thrown by the iteration over `gunzip`.
  const piping = pipeline(input, gunzip).catch(() => undefined);
  let bytes = 0;
  try {
    for await (const chunk of gunzip as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      yield chunk;
    }
  } catch (error) {
    if (!isZlibError(error)) throw error;
    const shown = shownUri(uri);
    const message = `${shown} is damaged or incomplete gzip data: ${error.message}, after ${bytes} bytes of content`;
    throw new StorageError('Corrupt', shown, message, { cause: error });
  } finally {
    input.destroy();
    gunzip.destroy();
    await piping;
  }
}

function isZlibError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_');
}
