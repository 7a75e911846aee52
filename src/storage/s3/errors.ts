/** Maps errors of the AWS SDK to `StorageError`s. */
import { StorageError, type StorageErrorCode } from '../storage-error.js';
import { shownUri } from '../uri.js';

interface ErrorClass {
  readonly code: StorageErrorCode;
  readonly retryable: boolean;
  readonly description: string;
}

const transient = (description = 'the storage service is temporarily unavailable'): ErrorClass => ({
  code: 'Io',
  retryable: true,
  description,
});
const permanent = (description: string, code: StorageErrorCode = 'Io'): ErrorClass => ({
  code,
  retryable: false,
  description,
});

const WRONG_REGION = permanent('the bucket is in another region; set AWS_REGION to that region');
const ACCESS_DENIED = permanent('access denied; check the credentials and their permissions');
const DAMAGED = transient('the content was damaged in transit');
const CREDENTIALS_EXPIRED = transient('the credentials have expired');

/** By S3's error code, or by the name of the SDK's error class. */
const BY_NAME: Readonly<Record<string, ErrorClass>> = {
  NoSuchKey: permanent('no such object', 'NotFound'),
  NoSuchBucket: permanent('no such bucket', 'NotFound'),
  KeyTooLongError: permanent('the key is longer than S3 allows', 'BadUri'),
  EntityTooLarge: permanent('the object is larger than the service allows'),
  InvalidBucketName: permanent('invalid bucket name', 'BadUri'),
  PermanentRedirect: WRONG_REGION,
  AuthorizationHeaderMalformed: WRONG_REGION,
  IllegalLocationConstraintException: WRONG_REGION,
  // S3 returns these with status 400 although they are transient.
  RequestTimeout: transient(),
  IncompleteBody: transient(),
  BadDigest: DAMAGED,
  InvalidDigest: DAMAGED,
  XAmzContentSHA256Mismatch: DAMAGED,
  ExpiredToken: CREDENTIALS_EXPIRED,
  TokenRefreshRequired: CREDENTIALS_EXPIRED,
  RequestTimeTooSkewed: transient("this machine's clock is wrong"),
  // Another process or a lifecycle rule of the bucket aborted the multi-part upload.
  NoSuchUpload: transient('the multi-part upload was aborted by another process or a lifecycle rule'),
  OperationAborted: transient(),
  ConditionalRequestConflict: transient(),
  // Thrown by the SDK. The source of the credentials may be unavailable for a moment, such as a machine's metadata
  // service.
  CredentialsProviderError: transient('no AWS credentials were found'),
};

const BY_STATUS: Readonly<Record<number, ErrorClass>> = {
  301: WRONG_REGION,
  401: ACCESS_DENIED,
  403: ACCESS_DENIED,
  404: permanent('no such object', 'NotFound'),
  408: transient(),
  409: transient(),
  412: transient('the object changed during the operation'),
  429: transient(),
};

/** The HTTP status of the response; undefined if there was none. */
export function httpStatusOf(error: unknown): number | undefined {
  const status = metadataOf(error).httpStatusCode;
  return typeof status === 'number' ? status : undefined;
}

/**
 * The error as a `StorageError`. Its message consists of the description above, the status, the error's code and the
 * request id. The service's own message is left out, and the error is not kept as `cause`, because both may contain
 * parts of the signed request.
 */
export function s3Error(uri: URL, error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const status = httpStatusOf(error);
  const name = error instanceof Error ? error.name : '';
  const { code, retryable, description } =
    BY_NAME[name] ?? (status === undefined ? classifyWithoutResponse(error) : classifyStatus(status));
  const shown = shownUri(uri.href);
  const details = [
    status === undefined ? '' : `HTTP ${status}`,
    identifierOrEmpty(name),
    identifierOrEmpty(systemCode(error)),
    requestId(error),
  ];
  const reason = details.filter(Boolean).join(' ');
  return new StorageError(code, shown, `${shown}: ${description}${reason === '' ? '' : ` (${reason})`}`, { retryable });
}

function classifyStatus(status: number): ErrorClass {
  const isRefusal = status >= 400 && status < 500;
  return BY_STATUS[status] ?? (isRefusal ? permanent('the storage service refused the request') : transient());
}

/** The network failed, or this machine's configuration is incomplete. */
function classifyWithoutResponse(error: unknown): ErrorClass {
  const lacksRegion = error instanceof Error && error.message === 'Region is missing';
  return lacksRegion
    ? permanent('no region is set; set AWS_REGION')
    : transient('no response from the storage service');
}

function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function requestId(error: unknown): string {
  const id = identifierOrEmpty(metadataOf(error).requestId);
  return id === '' ? '' : `request ${id}`;
}

/** What the SDK adds to an error about the response. */
function metadataOf(error: unknown): Readonly<Record<string, unknown>> {
  const metadata = error instanceof Error && '$metadata' in error ? error.$metadata : undefined;
  return typeof metadata === 'object' && metadata !== null ? { ...metadata } : {};
}

/** The value if it is an identifier that is safe to show and says more than the generic names of errors. */
function identifierOrEmpty(value: unknown): string {
  if (typeof value !== 'string' || !/^[\w.-]{1,80}$/.test(value)) return '';
  return /^(Error|Unknown|UnknownError|AggregateError)$/.test(value) ? '' : value;
}
