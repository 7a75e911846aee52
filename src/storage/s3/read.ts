import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { StorageError } from '../storage-error.js';
import { shownUri } from '../uri.js';
import type { S3Connection } from './client.js';
import { httpStatusOf, s3Error } from './errors.js';
import type { S3Location } from './location.js';

/** Connections in a row that bring not one byte before the read gives up. */
const MAX_EMPTY_CONNECTIONS = 5;
const FIRST_PAUSE_MS = 100;

/**
 * An object from an offset as one unbroken stream. A connection that breaks, falls silent or ends before the promised
 * size is opened again where it stopped, on condition that the object is still the same (`If-Match`).
 */
export async function* readObject(
  connection: S3Connection,
  location: S3Location,
  start: number,
): AsyncGenerator<Uint8Array> {
  const { uri } = location;
  let opened: Opened | null = await open(connection, location, start).catch((error: unknown) => {
    // The object ends at or before the offset.
    if (httpStatusOf(error) === 416) return null;
    throw s3Error(uri, error);
  });
  if (!opened) return;
  const { etag, total } = opened;
  let received = start;
  let barren = 0;
  for (;;) {
    const before = received;
    let failure: StorageError | undefined;
    try {
      opened ??= await open(connection, location, received, etag);
      for await (const chunk of opened.body) {
        received += chunk.length;
        yield chunk;
      }
      if (total === null || received >= total) return;
    } catch (error) {
      failure = s3Error(uri, error);
      // All bytes are here and yet the SDK complains: their checksum is not the object's.
      if (received === total) throw damaged(uri);
      if (!failure.retryable || httpStatusOf(error) === 412) throw failure;
    }
    opened = null;
    barren = received > before ? 0 : barren + 1;
    if (barren >= MAX_EMPTY_CONNECTIONS) throw failure ?? cutOff(uri, received, total);
    if (barren > 0) await sleep(FIRST_PAUSE_MS * 2 ** barren);
  }
}

interface Opened {
  readonly body: AsyncIterable<Uint8Array>;
  readonly etag: string | undefined;
  /** The object's whole size; null where the service does not tell. */
  readonly total: number | null;
}

async function open(
  { client, sdk }: S3Connection,
  location: S3Location,
  start: number,
  etag?: string,
): Promise<Opened> {
  const { bucket, key, uri } = location;
  const { Body, ContentLength, ContentRange, ETag } = await client.send(
    new sdk.GetObjectCommand({
      Bucket: bucket,
      Key: key,
      ...(start > 0 && { Range: `bytes=${start}-` }),
      ...(etag !== undefined && { IfMatch: etag }),
    }),
  );
  const body = Body as Readable;
  if (start > 0 && !ContentRange?.startsWith(`bytes ${start}-`)) {
    body.destroy();
    throw new StorageError('Io', shownUri(uri.href), `${shownUri(uri.href)}: the storage service ignores ranges`);
  }
  return { body, etag: ETag, total: ContentLength === undefined ? null : start + ContentLength };
}

function damaged(uri: URL): StorageError {
  const shown = shownUri(uri.href);
  return new StorageError('Io', shown, `${shown}: it arrived damaged`, { retryable: true });
}

function cutOff(uri: URL, received: number, total: number | null): StorageError {
  const shown = shownUri(uri.href);
  const message = `${shown}: the read ended again and again at ${received} of ${total ?? 'unknown'} bytes`;
  return new StorageError('Io', shown, message, { retryable: true });
}
