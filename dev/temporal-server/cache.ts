import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';

const HALF_DONE = '.half-done-';
const HOUR = 3_600_000;

/** Where fetched servers are kept: `$XDG_CACHE_HOME/temporal-llm-jobs`, or the platform's own place for caches. */
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

/**
 * Fills a folder beside `target` and renames it into place, so that `target` is whole whenever it is there: a killed install leaves nothing
 * that could be taken for one, and of two processes that install at once the first wins.
 *
 * @param works tells whether a `target` that is there already can be used; a broken one is replaced.
 */
export async function installInto(
  target: string,
  fill: (folder: string) => Promise<void>,
  works: () => Promise<boolean>,
): Promise<void> {
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  await removeHalfDone(target);
  const folder = await mkdtemp(target + HALF_DONE);
  try {
    await fill(folder);
    await moveInto(target, folder, works);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function moveInto(target: string, folder: string, works: () => Promise<boolean>): Promise<void> {
  try {
    await rename(folder, target);
  } catch (error) {
    // ENOTEMPTY or EEXIST on POSIX, EPERM on Windows: something is there.
    if (!(await exists(target))) throw error;
    if (await works()) return;
    const broken = await mkdtemp(target + HALF_DONE);
    await rename(target, join(broken, 'broken'));
    await rm(broken, { recursive: true, force: true });
    await rename(folder, target);
  }
}

/** What killed installs of this target left behind. Those that may still be running are let alone. */
async function removeHalfDone(target: string): Promise<void> {
  const prefix = basename(target) + HALF_DONE;
  const names = await readdir(dirname(target));
  for (const name of names.filter((candidate) => candidate.startsWith(prefix))) {
    const path = join(dirname(target), name);
    const info = await stat(path).catch(() => undefined);
    if (info !== undefined && Date.now() - info.mtimeMs > HOUR) await rm(path, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** How many bytes a folder holds by now. Files may come and go meanwhile. */
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
