/** Why storage refused or failed. */
export type StorageErrorCode =
  'OutsideRoots' | 'NotFound' | 'UnsupportedScheme' | 'BadUri' | 'NotAFile' | 'Corrupt' | 'Io';

/** Every error of storage. The message names the URI and, where they matter, the roots; it is bounded and holds no credentials. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly code: StorageErrorCode;
  /** The URI as it may be shown: bounded, without credentials and query. */
  readonly uri: string;
  /** Whether the same call may succeed later: a full disk or too many open files, but not a refusal. */
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

export function isStorageError(error: unknown): error is StorageError {
  return error instanceof StorageError;
}
