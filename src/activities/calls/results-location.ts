import { safeName } from '../../storage/safe-name.js';
import type { Storage } from '../../storage/storage.js';

/**
 * Checks before anything is paid for that results may be written where the spec says.
 *
 * @throws StorageError if that is outside the storage roots
 */
export function assertMayHoldResults(storage: Storage, outputUri: string | null): void {
  storage.resolve(outputUri ?? storage.defaultRoot, 'job');
}

/** URI of a file that a job's results consist of, below the folder of the job. */
export function resultUri(storage: Storage, outputUri: string | null, jobId: string, name: string): string {
  return storage.resolve(outputUri ?? storage.defaultRoot, safeName(jobId), name);
}

/** URI of the result itself. */
export function manifestUri(storage: Storage, outputUri: string | null, jobId: string): string {
  return resultUri(storage, outputUri, jobId, 'manifest.json');
}
