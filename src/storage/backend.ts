/** The interface between `Storage` and the backends of the schemes. */

/** A file in storage, as `stat` and `list` return it. */
export interface ObjectInfo {
  /** Its URI. */
  readonly uri: string;
  /** Size in bytes. */
  readonly bytes: number;
  /** Epoch seconds. */
  readonly modifiedAt?: number;
}

/** What is read of a file. */
export interface ReadOptions {
  /** Offset of the first byte. */
  readonly start: number;
  /**
   * Whether the backend may overwrite a chunk once the reader asks for the next one. That is faster, because allocating
   * memory costs more than reading into it.
   *
   * @default false
   */
  readonly reuse?: boolean;
}

/** How files are listed. */
export interface ListOptions {
  /**
   * Called with the name, or the path, of each file or folder that is omitted since no URI can contain its name.
   *
   * @default they are omitted silently
   */
  readonly onUnusable?: (name: string) => void;
}

/**
 * Reads and writes the files of one scheme. `Storage` has checked that each URI is valid and below a root; a backend
 * checks what only it can see, such as symbolic links.
 *
 * @throws StorageError from every method; errors that a `source` throws, unchanged
 */
export interface StorageBackend {
  /** `'file'` or `'s3'`, for example. */
  readonly scheme: string;
  /** Null if there is no such file. */
  stat(uri: URL): Promise<ObjectInfo | null>;
  /** The bytes from `start` to the end. Without `reuse`, chunks are not overwritten and the reader may keep them. */
  read(uri: URL, options?: ReadOptions): AsyncIterable<Uint8Array>;
  /**
   * Writes all or nothing: the file appears under its name only when it is complete, and an error leaves nothing
   * behind.
   */
  write(uri: URL, source: AsyncIterable<Uint8Array>): Promise<{ bytes: number }>;
  /**
   * All files whose URI begins with the prefix, sorted by the bytes of their path. An S3-compatible service may sort
   * differently from Amazon's.
   */
  list(prefix: URL, options?: ListOptions): AsyncIterable<ObjectInfo>;
  /** Deletes the file; does nothing if it is absent. */
  delete(uri: URL): Promise<void>;
  /**
   * Deletes all files below a folder, whose URI ends in a slash, and the folder.
   *
   * @default lists them and deletes each
   */
  deleteFolder?(uri: URL): Promise<void>;
}
