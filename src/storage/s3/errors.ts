/** Errors of the S3 SDK become `StorageError`s here. */
import { StorageError, type StorageErrorCode } from '../storage-error.js';
import { shownUri } from '../uri.js';

interface Meaning {
  readonly code: StorageErrorCode;
  readonly retryable: boolean;
  readonly says: string;
}

const passing = (says = 'the storage service could not do it now'): Meaning => ({ code: 'Io', retryable: true, says });
const lasting = (says: string, code: StorageErrorCode = 'Io'): Meaning => ({ code, retryable: false, says });

const WRONG_REGION = lasting('the bucket is in another region; set AWS_REGION to it');
const REFUSED = lasting('access was refused; check the credentials and what they may do');

/** By the code that S3 gives an error, or the SDK its class. */
const BY_NAME: Readonly<Record<string, Meaning>> = {
  NoSuchKey: lasting('it does not exist', 'NotFound'),
  NoSuchBucket: lasting('the bucket does not exist', 'NotFound'),
  KeyTooLongError: lasting('the key is longer than S3 allows', 'BadUri'),
  EntityTooLarge: lasting('the object is larger than the service allows'),
  InvalidBucketName: lasting('the bucket cannot have that name', 'BadUri'),
  PermanentRedirect: WRONG_REGION,
  AuthorizationHeaderMalformed: WRONG_REGION,
  IllegalLocationConstraintException: WRONG_REGION,
  // With 400 and yet no fault of the request: sent again it may pass.
  RequestTimeout: passing(),
  IncompleteBody: passing(),
  BadDigest: passing('it arrived damaged'),
  InvalidDigest: passing('it arrived damaged'),
  XAmzContentSHA256Mismatch: passing('it arrived damaged'),
  ExpiredToken: passing('the credentials have expired'),
  TokenRefreshRequired: passing('the credentials have expired'),
  RequestTimeTooSkewed: passing("this machine's clock is wrong"),
  // Somebody else, or a rule of the bucket, ended the multi-part upload.
  NoSuchUpload: passing('the upload was ended from elsewhere'),
  OperationAborted: passing(),
  ConditionalRequestConflict: passing(),
  // The SDK's own. Where credentials come from may be away for a moment, such as the metadata service of a machine.
  CredentialsProviderError: passing('no AWS credentials were found'),
};

const BY_STATUS: Readonly<Record<number, Meaning>> = {
  301: WRONG_REGION,
  401: REFUSED,
  403: REFUSED,
  404: lasting('it does not exist', 'NotFound'),
  408: passing(),
  409: passing(),
  412: passing('it changed meanwhile'),
  429: passing(),
};

/** The status of the answer, undefined where there was none. */
export function statusOf(error: unknown): number | undefined {
  const metadata = error instanceof Error && '$metadata' in error ? error.$metadata : undefined;
  const status = (metadata as { httpStatusCode?: unknown } | undefined)?.httpStatusCode;
  return typeof status === 'number' ? status : undefined;
}

/**
 * The message is made of the table above, the status, the error's code and the request id: what the service wrote itself may hold
 * parts of the signed request. For the same reason the original is not kept as `cause`.
 */
export function s3Error(uri: URL, error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const status = statusOf(error);
  const name = error instanceof Error ? error.name : '';
  const { code, retryable, says } = BY_NAME[name] ?? (status === undefined ? unanswered(error) : byStatus(status));
  const shown = shownUri(uri.href);
  const details = [status === undefined ? '' : `HTTP ${status}`, told(name), told(systemCode(error)), requestId(error)];
  const reason = details.filter(Boolean).join(' ');
  return new StorageError(code, shown, `${shown}: ${says}${reason === '' ? '' : ` (${reason})`}`, { retryable });
}

function byStatus(status: number): Meaning {
  return BY_STATUS[status] ?? (status >= 400 && status < 500 ? lasting('the storage service refused it') : passing());
}

/** No answer came: the network, or something that this machine lacks. */
function unanswered(error: unknown): Meaning {
  if (error instanceof Error && error.message === 'Region is missing')
    return lasting('no region is set; set AWS_REGION');
  return passing('the storage service gave no answer');
}

function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function requestId(error: unknown): string {
  const metadata = error instanceof Error && '$metadata' in error ? error.$metadata : undefined;
  const id = (metadata as { requestId?: unknown } | undefined)?.requestId;
  return typeof id === 'string' && told(id) !== '' ? `request ${id}` : '';
}

/** A word that may be shown; the general names of errors tell nothing. */
function told(word: string): string {
  return /^[\w.-]{1,80}$/.test(word) && !/^(Error|Unknown|UnknownError|AggregateError)$/.test(word) ? word : '';
}
