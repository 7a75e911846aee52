import { Readable } from 'node:stream';
import type { Leftover, S3Connection } from './client.js';
import { s3Error, statusOf } from './errors.js';
import type { Place } from './place.js';

/** S3 takes 10,000 parts of 5 MB and more, so that the largest object has 60 GB. */
const PART_BYTES = 6 * 1024 * 1024;
/** Parts under way at once. With the one that is being filled, and its copy, they are what an upload holds: some 60 MB with all garbage. */
const PARALLEL = 2;

/**
 * Streams an object up: in one request what fits into a part, in several parts what does not. Either way it has its name only when it
 * is whole, and after an error the parts are taken back; where the service cannot be reached for that, before the next upload.
 *
 * @throws the source's own error unchanged, or a StorageError
 */
export async function upload(
  connection: S3Connection,
  { bucket, key, uri }: Place,
  source: AsyncIterable<Uint8Array>,
): Promise<{ bytes: number }> {
  let bytes = 0;
  let broken: { error: unknown } | undefined;

  // The SDK may wrap or replace what the source throws, and a stream throws into its source what others did.
  async function* counted(): AsyncGenerator<Uint8Array> {
    const iterator = source[Symbol.asyncIterator]();
    try {
      for (;;) {
        const step = await iterator.next().catch((error: unknown) => {
          broken = { error };
          throw error;
        });
        if (step.done) return;
        bytes += step.value.byteLength;
        yield step.value;
      }
    } finally {
      await iterator.return?.();
    }
  }

  for (const leftover of connection.leftovers) await takeBack(connection, leftover);
  const object = { Bucket: bucket, Key: key };
  const body = Readable.from(counted(), { highWaterMark: 1 });
  const sending = new connection.lib.Upload({
    client: connection.client,
    params: { ...object, Body: body },
    partSize: PART_BYTES,
    queueSize: PARALLEL,
  });
  try {
    await sending.done();
    return { bytes };
  } catch (error) {
    // The SDK has tried, but does not tell with what success; to do it twice is fine.
    if (sending.uploadId !== undefined) await takeBack(connection, { ...object, UploadId: sending.uploadId });
    throw broken ? broken.error : s3Error(uri, error);
  } finally {
    body.destroy();
  }
}

async function takeBack({ client, sdk, leftovers }: S3Connection, leftover: Leftover): Promise<void> {
  try {
    await client.send(new sdk.AbortMultipartUploadCommand(leftover));
    leftovers.delete(leftover);
  } catch (error) {
    if (statusOf(error) === 404) leftovers.delete(leftover);
    else leftovers.add(leftover);
  }
}
