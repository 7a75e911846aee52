/** Files that are read more than once: what a check has read is what every later reading must find. */
import { createHash } from 'node:crypto';
import type { CheckedFile } from '../contract/checked-file.js';
import { decompressed } from './gzip.js';
import { StorageError } from './storage-error.js';
import type { Storage } from './storage.js';
import { shownUri } from './uri.js';

/** A file is gone, or no longer has the size and the hash that were recorded when it was checked or written. */
export class FileChangedError extends Error {
  override readonly name = 'FileChangedError';
  /** The URI for display. */
  readonly uri: string;

  constructor(uri: string) {
    const shown = shownUri(uri);
    super(`${shown} was changed or deleted: its size or hash differs from the recorded one`);
    this.uri = shown;
  }
}

/**
 * The content of a file, decompressed if it is gzip. At its end, calls back with the size and the hash of the file
 * itself. Chunks may be overwritten once the next one is asked for.
 */
export async function* readRecorded(
  storage: Storage,
  uri: string,
  onEnd: (file: CheckedFile) => void,
): AsyncGenerator<Uint8Array> {
  const source = storage.read(uri, { reuse: true });
  const hash = createHash('sha256');
  let bytes = 0;
  // Reads by `next`, so that whoever stops early does not close the source.
  const hashed = async function* () {
    for (let step = await source.next(); !step.done; step = await source.next()) {
      hash.update(step.value);
      bytes += step.value.byteLength;
      yield step.value;
    }
  };
  try {
    yield* decompressed(hashed(), uri);
    // Bytes behind the end of gzip data belong to the file, too.
    for await (const rest of hashed()) void rest;
    onEnd({ uri, bytes, sha256: hash.digest('hex') });
  } finally {
    await source.return(undefined);
  }
}

/**
 * The content of a file that was checked, decompressed if it is gzip. A difference may show only at the end, so nothing
 * may be concluded from the content before that.
 *
 * @throws FileChangedError
 */
export async function* readChecked(storage: Storage, file: CheckedFile): AsyncGenerator<Uint8Array> {
  const found = await storage.stat(file.uri);
  if (found?.bytes !== file.bytes) throw new FileChangedError(file.uri);
  yield* readRecorded(storage, file.uri, ({ bytes, sha256 }) => {
    if (bytes !== file.bytes || sha256 !== file.sha256) throw new FileChangedError(file.uri);
  });
}

/** Whether storage still has a file as it was checked. Reads it completely, unless its size is another one. */
export async function isUnchanged(storage: Storage, file: CheckedFile): Promise<boolean> {
  try {
    const hash = createHash('sha256');
    if ((await storage.stat(file.uri))?.bytes !== file.bytes) return false;
    for await (const chunk of storage.read(file.uri, { reuse: true })) hash.update(chunk);
    return hash.digest('hex') === file.sha256;
  } catch (error) {
    // Deleted between the two calls.
    if (error instanceof StorageError && error.code === 'NotFound') return false;
    throw error;
  }
}
