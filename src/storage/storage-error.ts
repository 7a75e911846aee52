/**
 * Why storage refused or failed: a URI outside the roots, an absent file, a scheme without a backend, an invalid URI, a
 * folder where a file is expected, damaged compressed data, or any other error of the file system or the service.
 */
export type StorageErrorCode =
  'OutsideRoots' | 'NotFound' | 'UnsupportedScheme' | 'BadUri' | 'NotAFile' | 'Corrupt' | 'Io';

/**
 * Any error of storage. The message contains the URI and, where they matter, the roots; it is bounded and contains no
 * credentials.
 */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  /** Why it was refused or failed. */
  readonly code: StorageErrorCode;
  /** The URI for display: bounded, without credentials and query. */
  readonly uri: string;
  /** Whether the same call may succeed later, as with a full disk or too many open files. */
  readonly retryable: boolean;

  constructor(
    code: StorageErrorCode,
    uri: string,
    message: string,
    options: { retryable?: boolean; cause?: unknown } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.uri = uri;
    this.retryable = options.retryable ?? false;
  }
}
