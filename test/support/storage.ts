import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { vi } from 'vitest';
import { Storage, StorageError, type StorageErrorCode } from '../../src/storage/index.js';

/** Runs of each property; a long run sets it to 10,000. */
export const FUZZ_RUNS = Number(process.env.LLM_JOBS_FUZZ_RUNS ?? 200);
vi.setConfig({ testTimeout: 60_000 + FUZZ_RUNS * 30 });

/** A folder of its own with a root `data` inside, so that there is an outside to escape to. */
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

export async function* chunks(...parts: (string | Uint8Array)[]): AsyncGenerator<string | Uint8Array> {
  for (const part of parts) yield part;
}

export async function textOf(source: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts).toString();
}

export async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
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
