export type { ObjectInfo, StorageBackend } from './backend.js';
export { FileBackend } from './file-backend.js';
export { safeName } from './safe-name.js';
export { isStorageError, StorageError, type StorageErrorCode } from './storage-error.js';
export { Storage, type StorageOptions } from './storage.js';
