import { Readable } from 'node:stream';
import type { MultipartUpload, S3Connection } from './client.js';
import { httpStatusOf, s3Error } from './errors.js';
import type { S3Location } from './location.js';

/** S3 accepts 10,000 parts of at least 5 MB, so this size allows objects of up to 60 GB. */
const PART_BYTES = 6 * 1024 * 1024;
/**
 * Parts that are sent concurrently. Together with the part that is being filled, and its copy, they are what an upload
 * holds in memory: some 60 MB including garbage.
 */
const PARALLEL_PARTS = 2;

/**
 * Streams an object to S3: in one request if it fits into one part, as a multi-part upload otherwise. In both cases the
 * object appears only when it is complete. After an error the parts are deleted; if the service cannot be reached, that
 * happens before the next upload.
 *
 * @throws StorageError, or an error of the source, unchanged
 */
export async function upload(
  connection: S3Connection,
  { bucket, key, uri }: S3Location,
  source: AsyncIterable<Uint8Array>,
): Promise<{ bytes: number }> {
  let bytes = 0;
  let sourceFailure: { readonly error: unknown } | undefined;

  // The SDK may wrap or replace an error of the source, and a stream also throws other errors into its source, so the
  // source's own error is recorded here.
  async function* counted(): AsyncGenerator<Uint8Array> {
    const iterator = source[Symbol.asyncIterator]();
    try {
      while (true) {
        const step = await iterator.next().catch((error: unknown) => {
          sourceFailure = { error };
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

  for (const earlier of connection.uploadsToAbort) await abort(connection, earlier);
  const object = { Bucket: bucket, Key: key };
  const body = Readable.from(counted(), { highWaterMark: 1 });
  const sending = new connection.lib.Upload({
    client: connection.client,
    params: { ...object, Body: body },
    partSize: PART_BYTES,
    queueSize: PARALLEL_PARTS,
  });
  try {
    await sending.done();
    return { bytes };
  } catch (error) {
    // The SDK has tried to abort the upload but does not report whether it succeeded. To abort it twice is harmless.
    if (sending.uploadId !== undefined) await abort(connection, { ...object, UploadId: sending.uploadId });
    throw sourceFailure ? sourceFailure.error : s3Error(uri, error);
  } finally {
    body.destroy();
  }
}

/** Deletes the parts of an upload, or remembers the upload if that fails. */
async function abort({ client, sdk, uploadsToAbort }: S3Connection, multipart: MultipartUpload): Promise<void> {
  try {
    await client.send(new sdk.AbortMultipartUploadCommand(multipart));
    uploadsToAbort.delete(multipart);
  } catch (error) {
    if (httpStatusOf(error) === 404) uploadsToAbort.delete(multipart);
    else uploadsToAbort.add(multipart);
  }
}
