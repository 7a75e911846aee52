/** The public part of storage, which the entry points for workers and for application code both export. */
export type { ListOptions, ObjectInfo, ReadOptions, StorageBackend } from './backend.js';
export type { S3Credentials, S3Options } from './s3/options.js';
export { S3Backend } from './s3/s3-backend.js';
export { safeName } from './safe-name.js';
export { StorageError, type StorageErrorCode } from './storage-error.js';
export { Storage, type StorageOptions } from './storage.js';
