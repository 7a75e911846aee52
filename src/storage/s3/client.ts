/**
 * The connection to S3. The AWS SDK is an optional peer dependency: it is loaded only if an `s3:` root is configured.
 */
import { createRequire } from 'node:module';
import type * as Sdk from '@aws-sdk/client-s3';
import type * as Lib from '@aws-sdk/lib-storage';
import { StorageError } from '../storage-error.js';
import type { S3Options } from './options.js';

export interface S3Connection {
  readonly sdk: typeof Sdk;
  readonly lib: typeof Lib;
  readonly client: Sdk.S3Client;
  /** Failed multi-part uploads that could not be aborted yet. */
  readonly uploadsToAbort: Set<MultipartUpload>;
}

export interface MultipartUpload {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string;
}

const PACKAGES = ['@aws-sdk/client-s3', '@aws-sdk/lib-storage'];
const CONNECTION_TIMEOUT_MS = 10_000;
/** A connection without any data for this long is closed; a read then resumes on a new one. */
const SOCKET_TIMEOUT_MS = 60_000;

/**
 * Checks when a worker starts, not when it reads its first file, that the SDK is installed. A bundle may contain the
 * SDK, which only its import can show, so `connect` reports a missing package there.
 *
 * @throws StorageError that names the packages to install
 */
export function assertSdkInstalled(): void {
  if (isBundled()) return;
  const require = createRequire(import.meta.url);
  const missing = PACKAGES.filter((name) => {
    try {
      require.resolve(name);
      return false;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND';
    }
  });
  if (missing.length > 0) throw sdkMissing(missing);
}

/** Bundlers replace this module's URL by that of the bundle, or, for CommonJS, by undefined. */
function isBundled(): boolean {
  return !/\/storage\/s3\/client\.[jt]s$/.test(import.meta.url);
}

function sdkMissing(packages: readonly string[]): StorageError {
  const advice = `install with: npm install ${PACKAGES.join(' ')}`;
  return new StorageError('UnsupportedScheme', 's3:', `s3:// storage needs ${packages.join(' and ')}; ${advice}`);
}

async function loadSdk(): Promise<Pick<S3Connection, 'sdk' | 'lib'>> {
  // Inside a `try`, bundlers such as esbuild report an optional package that is not installed as a warning, not as an
  // error.
  try {
    return { sdk: await import('@aws-sdk/client-s3'), lib: await import('@aws-sdk/lib-storage') };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    throw code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND' ? sdkMissing(PACKAGES) : error;
  }
}

/** @throws StorageError if the SDK is not installed */
export async function connect(options: S3Options, env: NodeJS.ProcessEnv): Promise<S3Connection> {
  const { sdk, lib } = await loadSdk();
  const { endpoint, region, credentials } = options;
  const hasEndpoint = (endpoint ?? (env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL || undefined)) !== undefined;
  const config: Sdk.S3ClientConfig = {
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    ...(credentials !== undefined && { credentials }),
    forcePathStyle: options.forcePathStyle ?? pathStyleOf(env) ?? hasEndpoint,
    followRegionRedirects: true,
    requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, socketTimeout: SOCKET_TIMEOUT_MS },
  };
  const client = new sdk.S3Client(config);
  const hasRegion = await client.config.region().then(
    () => true,
    () => false,
  );
  const usable = hasRegion || !hasEndpoint ? client : new sdk.S3Client({ ...config, region: 'us-east-1' });
  return { sdk, lib, client: usable, uploadsToAbort: new Set() };
}

/**
 * The value of LLM_JOBS_S3_PATH_STYLE; undefined if it is not set.
 *
 * @throws TypeError if it is neither `true` nor `false`
 */
export function pathStyleOf(env: NodeJS.ProcessEnv): boolean | undefined {
  const value = env.LLM_JOBS_S3_PATH_STYLE?.trim().toLowerCase();
  if (!value) return undefined;
  if (value !== 'true' && value !== 'false') throw new TypeError('LLM_JOBS_S3_PATH_STYLE must be true or false');
  return value === 'true';
}
