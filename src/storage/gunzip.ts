import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { StorageError } from './storage-error.js';
import { shownUri } from './uri.js';

const CHUNK = 256 * 1024;
/** The first bytes of gzip: its magic number and its one method. */
const MAGIC = Buffer.from([0x1f, 0x8b, 0x08]);

/**
 * The same bytes, decompressed if they begin as gzip does, whatever the name says; several members in a row are one content.
 *
 * What comes out is made as it is asked for, some 256 KB at a time, so that a small file which swells to a huge one fills no memory; how
 * much of it to take is for the reader to decide. The source may reuse the memory of its chunks.
 *
 * @param uri names the source in errors
 * @throws StorageError `Corrupt` where the gzip data is damaged or cut; errors of the source unchanged
 */
export async function* decompressed(source: AsyncIterable<Uint8Array>, uri: string): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    const start: Uint8Array[] = [];
    let head = Buffer.alloc(0);
    while (head.length < MAGIC.length) {
      const step = await iterator.next();
      if (step.done) break;
      // A short one is not the last that is asked for, and may be filled again.
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

/** zlib holds several chunks at a time, and the source may fill the same memory again. */
async function* copies(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) yield Buffer.from(chunk);
}

async function* gunzipped(source: AsyncIterable<Uint8Array>, uri: string): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: CHUNK });
  const input = Readable.from(source, { highWaterMark: 1 });
  // Its errors come out of `gunzip`, where they are awaited.
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
    const message = `${shown} is not whole gzip data: ${error.message}, after ${bytes} bytes of content`;
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
