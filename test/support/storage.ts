import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
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

/** A sandbox with files beside its root, and links inside that lead out of it. */
export async function sandboxWithLinks() {
  const box = await sandbox();
  await mkdir(join(box.base, 'data-evil'));
  await mkdir(join(box.base, 'outside'));
  await writeFile(join(box.base, 'secret'), 'secret');
  await writeFile(join(box.base, 'outside/secret'), 'secret');
  await symlink(join(box.base, 'outside'), join(box.root, 'link'));
  await symlink(join(box.base, 'secret'), join(box.root, 'filelink'));
  await symlink(join(box.base, 'not-yet'), join(box.root, 'dangling'));
  await symlink('..', join(box.root, 'up'));
  await mkdir(join(box.root, 'real'));
  await symlink(join(box.root, 'real'), join(box.root, 'inner'));
  return box;
}

export type Sandbox = Awaited<ReturnType<typeof sandbox>>;

/**
 * All that is beside the root, with its content. Without a recursive `readdir`, which follows links on Node 26, even in
 * circles.
 */
export async function outside(box: Sandbox, folder = box.base): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (path === box.root) continue;
    found[path] = entry.isFile() ? await readFile(path, 'utf8') : 'folder';
    if (entry.isDirectory()) Object.assign(found, await outside(box, path));
  }
  return found;
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
