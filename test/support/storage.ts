import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Storage, StorageError, type StorageErrorCode } from '../../src/storage/index.js';

/** A new folder with a root `data` inside, so that there is an outside to escape to. */
export async function sandbox() {
  const base = await realpath(await mkdtemp(join(tmpdir(), 'llm-jobs-storage-')));
  const root = join(base, 'data');
  await mkdir(root);
  const storage = new Storage({ roots: [pathToFileURL(root).href] });
  return {
    base,
    root,
    storage,
    uri: (path: string) => `${pathToFileURL(root).href}/${path}`,
    remove: () => rm(base, { recursive: true, force: true }),
  };
}

/** The code of the `StorageError` that an action ends with; null when it succeeds. */
export async function refusal(action: () => unknown): Promise<StorageErrorCode | null> {
  try {
    await action();
    return null;
  } catch (error) {
    if (error instanceof StorageError) return error.code;
    throw error;
  }
}
