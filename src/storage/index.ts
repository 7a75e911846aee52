export type { ObjectInfo, ReadOptions, StorageBackend } from './backend.js';
export { FileBackend } from './file-backend.js';
export { decompressed } from './gzip.js';
export type { S3Credentials, S3Options } from './s3/options.js';
export { S3Backend } from './s3/s3-backend.js';
export { safeName } from './safe-name.js';
export { isStorageError, StorageError, type StorageErrorCode } from './storage-error.js';
export { Storage, type StorageOptions } from './storage.js';
