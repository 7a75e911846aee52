/** An object in storage as `stat` and `list` tell it. */
export interface ObjectInfo {
  readonly uri: string;
  readonly bytes: number;
  /** Epoch seconds. */
  readonly modifiedAt?: number;
}

export interface ReadOptions {
  /** Where to begin, in bytes. */
  readonly start: number;
  /**
   * The reader is done with a chunk when it asks for the next one, so that the same memory may be filled again: fresh memory costs more
   * than what is read into it. Default false.
   */
  readonly reuse?: boolean;
}

/**
 * One scheme's way of keeping bytes. `Storage` has checked each URI's form and that it lies below a root; a backend adds what only
 * it can see, such as symbolic links. Errors are `StorageError`s, except those that a `source` throws, which pass unchanged.
 */
export interface StorageBackend {
  /** `'file'`, `'s3'`. */
  readonly scheme: string;
  /** Null when there is nothing of that name. */
  stat(uri: URL): Promise<ObjectInfo | null>;
  /** The bytes from `start`, or all of them. Without `reuse` a chunk is never filled again, so the reader may keep it. */
  read(uri: URL, options?: ReadOptions): AsyncIterable<Uint8Array>;
  /** Writes all or nothing: the object has its final name only when it is whole; after an error nothing of it is left. */
  write(uri: URL, source: AsyncIterable<Uint8Array>): Promise<{ bytes: number }>;
  /**
   * All objects whose URI begins with the prefix, ordered by the bytes of their path; of an S3-compatible service in the service's
   * own order, which is the same at Amazon's.
   */
  list(prefix: URL): AsyncIterable<ObjectInfo>;
  /** An absent object is fine. */
  delete(uri: URL): Promise<void>;
}
