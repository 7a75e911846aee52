import type { ObjectInfo, ReadOptions, StorageBackend } from '../backend.js';
import { StorageError } from '../storage-error.js';
import { parseUri, shownUri } from '../uri.js';
import { assertSdkInstalled, connect, pathStyleOf, type S3Connection } from './client.js';
import { s3Error, statusOf } from './errors.js';
import type { S3Options } from './options.js';
import { placeOf, uriOf } from './place.js';
import { readObject } from './read.js';
import { upload } from './upload.js';

/** S3 counts bytes, not characters. */
const MAX_KEY_BYTES = 1_024;

/**
 * Objects of Amazon S3, or of any service that speaks its protocol. Needs the packages `@aws-sdk/client-s3` and
 * `@aws-sdk/lib-storage`, and of its credentials `s3:GetObject`, `s3:PutObject`, `s3:DeleteObject`, `s3:ListBucket` and
 * `s3:AbortMultipartUpload`. A worker that is killed while it uploads leaves parts without a name, which cost: give the bucket a
 * lifecycle rule that ends incomplete multi-part uploads.
 */
export class S3Backend implements StorageBackend {
  readonly scheme = 's3';
  readonly #options: S3Options;
  #connecting: Promise<S3Connection> | undefined;

  constructor(options: S3Options = {}) {
    assertSdkInstalled();
    pathStyleOf(process.env);
    this.#options = options;
  }

  async stat(uri: URL): Promise<ObjectInfo | null> {
    const { bucket, key } = placeOf(uri);
    const { client, sdk } = await this.#connect(uri);
    try {
      const head = await client.send(new sdk.HeadObjectCommand({ Bucket: bucket, Key: key }));
      return { uri: uri.href, bytes: head.ContentLength ?? 0, ...modified(head.LastModified) };
    } catch (error) {
      if (statusOf(error) === 404) return null;
      throw s3Error(uri, error);
    }
  }

  async *read(uri: URL, { start }: ReadOptions = { start: 0 }): AsyncGenerator<Uint8Array> {
    yield* readObject(await this.#connect(uri), placeOf(uri), start);
  }

  async write(uri: URL, source: AsyncIterable<Uint8Array>): Promise<{ bytes: number }> {
    const place = placeOf(uri);
    if (Buffer.byteLength(place.key) > MAX_KEY_BYTES) {
      const shown = shownUri(uri.href);
      throw new StorageError('BadUri', shown, `${shown}: a key has ${MAX_KEY_BYTES} bytes at most`);
    }
    return upload(await this.#connect(uri), place, source);
  }

  async *list(prefix: URL): AsyncGenerator<ObjectInfo> {
    const { bucket, key } = placeOf(prefix);
    const { client, sdk } = await this.#connect(prefix);
    let token: string | undefined;
    do {
      // Without the encoding a control character in some key would break the whole answer, which is XML.
      const page = await client
        .send(
          new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix: key, EncodingType: 'url', ContinuationToken: token }),
        )
        .catch((error: unknown) => {
          throw s3Error(prefix, error);
        });
      for (const { Key, Size, LastModified } of page.Contents ?? []) {
        if (Key === undefined) continue;
        const uri = uriOf(bucket, page.EncodingType === 'url' ? decodeURIComponent(Key.replaceAll('+', ' ')) : Key);
        if (isAddressable(uri)) yield { uri, bytes: Size ?? 0, ...modified(LastModified) };
      }
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async delete(uri: URL): Promise<void> {
    const { bucket, key } = placeOf(uri);
    const { client, sdk } = await this.#connect(uri);
    try {
      await client.send(new sdk.DeleteObjectCommand({ Bucket: bucket, Key: key }));
    } catch (error) {
      if (statusOf(error) !== 404) throw s3Error(uri, error);
      const failure = s3Error(uri, error);
      // Gone already is fine; a bucket that never was is not.
      if (error instanceof Error && error.name === 'NoSuchBucket') throw failure;
    }
  }

  async #connect(uri: URL): Promise<S3Connection> {
    this.#connecting ??= connect(this.#options, process.env);
    try {
      return await this.#connecting;
    } catch (error) {
      this.#connecting = undefined;
      throw s3Error(uri, error);
    }
  }
}

/** Keys may be what no URI of ours names, such as `a/../b`, and folders' markers end in a slash: what is listed can be read. */
function isAddressable(uri: string): boolean {
  try {
    return !parseUri(uri).isFolder;
  } catch {
    return false;
  }
}

function modified(time: Date | undefined): { modifiedAt?: number } {
  return time === undefined ? {} : { modifiedAt: Math.floor(time.getTime() / 1_000) };
}
