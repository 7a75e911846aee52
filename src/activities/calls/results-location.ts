import type { Storage } from '../../storage/storage.js';

/**
 * Checks before anything is paid for that results may be written where the spec says.
 *
 * @throws StorageError if that is outside the storage roots
 */
export function assertMayHoldResults(storage: Storage, outputUri: string | null): void {
  storage.resolve(outputUri ?? storage.defaultRoot, 'job');
}
