import type { ListOptions, ObjectInfo, ReadOptions, StorageBackend } from '../backend.js';
import { StorageError } from '../storage-error.js';
import { shownUri } from '../uri.js';
import { assertSdkInstalled, connect, pathStyleOf, type S3Connection } from './client.js';
import { httpStatusOf, s3Error } from './errors.js';
import { locationOf, uriOf } from './location.js';
import type { S3Options } from './options.js';
import { readObject } from './read.js';
import { upload } from './upload.js';

/** S3 limits the bytes of a key, not its characters. */
const MAX_KEY_BYTES = 1_024;

/**
 * Objects in Amazon S3 or an S3-compatible service. It needs the packages `@aws-sdk/client-s3` and
 * `@aws-sdk/lib-storage`, and credentials with the permissions `s3:GetObject`, `s3:PutObject`, `s3:DeleteObject`,
 * `s3:ListBucket` and `s3:AbortMultipartUpload`.
 *
 * A worker that is killed during an upload leaves invisible parts behind, for which S3 charges: add a lifecycle rule to
 * the bucket that aborts incomplete multi-part uploads.
 */
export class S3Backend implements StorageBackend {
  readonly scheme = 's3';
  readonly #options: S3Options;
  #connecting: Promise<S3Connection> | undefined;

  /**
   * Connects when the first file is asked for.
   *
   * @throws StorageError if the packages are not installed; TypeError if LLM_JOBS_S3_PATH_STYLE is invalid
   */
  constructor(options: S3Options = {}) {
    assertSdkInstalled();
    pathStyleOf(process.env);
    this.#options = options;
  }

  async stat(uri: URL): Promise<ObjectInfo | null> {
    const { bucket, key } = locationOf(uri);
    const { client, sdk } = await this.#connect(uri);
    try {
      const head = await client.send(new sdk.HeadObjectCommand({ Bucket: bucket, Key: key }));
      return { uri: uri.href, bytes: head.ContentLength ?? 0, ...modifiedAt(head.LastModified) };
    } catch (error) {
      if (httpStatusOf(error) === 404) return null;
      throw s3Error(uri, error);
    }
  }

  async *read(uri: URL, { start }: ReadOptions = { start: 0 }): AsyncGenerator<Uint8Array> {
    yield* readObject(await this.#connect(uri), locationOf(uri), start);
  }

  async write(uri: URL, source: AsyncIterable<Uint8Array>): Promise<{ bytes: number }> {
    const location = locationOf(uri);
    if (Buffer.byteLength(location.key) > MAX_KEY_BYTES) {
      const shown = shownUri(uri.href);
      throw new StorageError('BadUri', shown, `${shown}: the key has more than ${MAX_KEY_BYTES} bytes`);
    }
    return upload(await this.#connect(uri), location, source);
  }

  async *list(prefix: URL, { onUnusable }: ListOptions = {}): AsyncGenerator<ObjectInfo> {
    const { bucket, key } = locationOf(prefix);
    const { client, sdk } = await this.#connect(prefix);
    let token: string | undefined;
    do {
      // Without the encoding, a control character in one key would make the whole response invalid XML.
      const page = await client
        .send(
          new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix: key, EncodingType: 'url', ContinuationToken: token }),
        )
        .catch((error: unknown) => {
          throw s3Error(prefix, error);
        });
      for (const { Key, Size, LastModified } of page.Contents ?? []) {
        if (Key === undefined) continue;
        const name = page.EncodingType === 'url' ? decodedKey(prefix, Key) : Key;
        const uri = uriOf(bucket, name);
        if (uri !== null) yield { uri, bytes: Size ?? 0, ...modifiedAt(LastModified) };
        // Consoles mark a folder by an empty object whose key ends in a slash.
        else if (!name.endsWith('/') || (Size ?? 0) > 0) onUnusable?.(name);
      }
      const next = page.IsTruncated ? page.NextContinuationToken : undefined;
      if (page.IsTruncated && (next === undefined || next === '' || next === token)) throw cutListing(prefix);
      token = next;
    } while (token !== undefined);
  }

  async delete(uri: URL): Promise<void> {
    const { bucket, key } = locationOf(uri);
    const { client, sdk } = await this.#connect(uri);
    try {
      await client.send(new sdk.DeleteObjectCommand({ Bucket: bucket, Key: key }));
    } catch (error) {
      // An absent object is fine, an absent bucket is not.
      const isAbsent = httpStatusOf(error) === 404 && !(error instanceof Error && error.name === 'NoSuchBucket');
      if (!isAbsent) throw s3Error(uri, error);
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

function decodedKey(prefix: URL, key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch (error) {
    throw s3Error(prefix, error);
  }
}

/** A listing that ends early would look like a folder in which files are missing. */
function cutListing(prefix: URL): StorageError {
  const shown = shownUri(prefix.href);
  const message = `${shown}: the storage service cut the listing short and does not say where it goes on`;
  return new StorageError('Io', shown, message, { retryable: true });
}

function modifiedAt(time: Date | undefined): { modifiedAt?: number } {
  return time === undefined ? {} : { modifiedAt: Math.floor(time.getTime() / 1_000) };
}
