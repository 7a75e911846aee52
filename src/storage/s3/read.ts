import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { resumingStream, type Interruption } from '../resuming-stream.js';
import { StorageError } from '../storage-error.js';
import { shownUri } from '../uri.js';
import type { S3Connection } from './client.js';
import { httpStatusOf, s3Error } from './errors.js';
import type { S3Location } from './location.js';

const FIRST_PAUSE_MS = 100;

/**
 * An object from an offset as one stream. A connection that breaks, falls silent or ends before the promised size is
 * opened again where it stopped, on condition that the object is still the same (`If-Match`).
 */
export async function* readObject(
  connection: S3Connection,
  object: S3Location,
  start: number,
): AsyncGenerator<Uint8Array> {
  const { uri } = object;
  const opened = await openObject(connection, object, start).catch((error: unknown) => {
    // The object ends at or before the offset.
    if (httpStatusOf(error) === 416) return null;
    throw s3Error(uri, error);
  });
  if (!opened) return;
  const { body, end } = opened;
  yield* resumingStream({
    first: body,
    start,
    end,
    reopen: async (offset) => reopenObject(connection, object, offset, opened),
    onInterruption: (interruption) => assertResumable(uri, interruption, end),
    onGivingUp: ({ error, offset }) => {
      throw error ? s3Error(uri, error.thrown) : cutOff(uri, offset, end);
    },
    // A connection that delivered data is followed by the next without a pause.
    pause: async (emptyConnections) => {
      if (emptyConnections > 0) await sleep(FIRST_PAUSE_MS * 2 ** emptyConnections);
    },
  });
}

interface OpenedObject {
  readonly body: Readable;
  readonly etag: string | undefined;
  /** Offset at which the object ends; null if the service does not say. */
  readonly end: number | null;
}

async function openObject(
  { client, sdk }: S3Connection,
  { bucket, key, uri }: S3Location,
  start: number,
  etag?: string,
): Promise<OpenedObject> {
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
  return { body, etag: ETag, end: ContentLength === undefined ? null : start + ContentLength };
}

/** Opens the object when it is first read, so that a failure to open it counts as one more connection without data. */
async function* reopenObject(
  connection: S3Connection,
  object: S3Location,
  offset: number,
  { etag, end }: Pick<OpenedObject, 'etag' | 'end'>,
): AsyncGenerator<Uint8Array> {
  const opened = await openObject(connection, object, offset, etag);
  // A service may ignore `If-Match`. The bytes of two versions must not become one content.
  if (opened.etag !== etag || (end !== null && opened.end !== null && opened.end !== end)) {
    opened.body.destroy();
    throw changed(object.uri);
  }
  yield* opened.body;
}

function assertResumable(uri: URL, { error, offset }: Interruption, end: number | null): void {
  if (!error) return;
  // All bytes arrived and yet the SDK reports an error: their checksum is not the object's.
  if (offset === end) throw damaged(uri);
  if (error.thrown instanceof ObjectChanged) throw error.thrown;
  const failure = s3Error(uri, error.thrown);
  // 412: the object was replaced since the first connection.
  if (!failure.retryable || httpStatusOf(error.thrown) === 412) throw failure;
}

/** The object was replaced while it was read: not a reason to resume, but to read it again. */
class ObjectChanged extends StorageError {}

function changed(uri: URL): ObjectChanged {
  const shown = shownUri(uri.href);
  return new ObjectChanged('Io', shown, `${shown}: the object was replaced while it was read`, { retryable: true });
}

function damaged(uri: URL): StorageError {
  const shown = shownUri(uri.href);
  return new StorageError('Io', shown, `${shown}: the content arrived damaged (checksum mismatch)`, {
    retryable: true,
  });
}

function cutOff(uri: URL, offset: number, end: number | null): StorageError {
  const shown = shownUri(uri.href);
  const message = `${shown}: the connection repeatedly ended after ${offset} of ${end ?? 'unknown'} bytes`;
  return new StorageError('Io', shown, message, { retryable: true });
}
