/** The AWS SDK: loaded only when there is an `s3:` root, since it is an optional peer, and configured as its other users expect. */
import { createRequire } from 'node:module';
import type * as Sdk from '@aws-sdk/client-s3';
import type * as Lib from '@aws-sdk/lib-storage';
import { StorageError } from '../storage-error.js';
import type { S3Options } from './options.js';

export interface S3Connection {
  readonly sdk: typeof Sdk;
  readonly lib: typeof Lib;
  readonly client: Sdk.S3Client;
  /** Multi-part uploads that failed and whose parts could not be taken back then. */
  readonly leftovers: Set<Leftover>;
}

export interface Leftover {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string;
}

const PACKAGES = ['@aws-sdk/client-s3', '@aws-sdk/lib-storage'];
const CONNECTION_TIMEOUT_MS = 10_000;
/** A connection on which nothing moved for so long is given up; a read then goes on where it was. */
const SILENCE_MS = 60_000;

/** @throws StorageError that names the packages to install, so that a worker without them fails at its start and not at its first file */
export function assertSdkInstalled(): void {
  const require = createRequire(import.meta.url);
  const missing = PACKAGES.filter((name) => {
    try {
      require.resolve(name);
      return false;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND';
    }
  });
  if (missing.length === 0) return;
  throw new StorageError(
    'UnsupportedScheme',
    's3:',
    `s3:// storage needs ${missing.join(' and ')}; install with: npm install ${PACKAGES.join(' ')}`,
  );
}

export async function connect(options: S3Options, env: NodeJS.ProcessEnv): Promise<S3Connection> {
  const [sdk, lib] = await Promise.all([import('@aws-sdk/client-s3'), import('@aws-sdk/lib-storage')]);
  const { endpoint, region, credentials } = options;
  const hasEndpoint = (endpoint ?? (env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL || undefined)) !== undefined;
  const config: Sdk.S3ClientConfig = {
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    ...(credentials !== undefined && { credentials }),
    forcePathStyle: options.forcePathStyle ?? pathStyleOf(env) ?? hasEndpoint,
    followRegionRedirects: true,
    requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, socketTimeout: SILENCE_MS },
  };
  const client = new sdk.S3Client(config);
  const hasRegion = await client.config.region().then(
    () => true,
    () => false,
  );
  const usable = hasRegion || !hasEndpoint ? client : new sdk.S3Client({ ...config, region: 'us-east-1' });
  return { sdk, lib, client: usable, leftovers: new Set() };
}

/** @throws TypeError for a value that is neither `true` nor `false` */
export function pathStyleOf(env: NodeJS.ProcessEnv): boolean | undefined {
  const value = env.LLM_JOBS_S3_PATH_STYLE?.trim().toLowerCase();
  if (!value) return undefined;
  if (value !== 'true' && value !== 'false') throw new TypeError('LLM_JOBS_S3_PATH_STYLE can be true or false');
  return value === 'true';
}
