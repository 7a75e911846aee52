import { randomUUID } from 'node:crypto';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shownUri } from './uri.js';

/** A file system that does not answer for this long, such as that of a server that is gone, counts as missing. */
const MAX_WAIT_MS = 15_000;

/**
 * Makes a `file:` root ready for a worker: creates its folder if need be, and writes and deletes a file there. Its
 * parent must exist: where it does not, a disk is probably not mounted, and files would land on another one. A root of
 * another scheme is left alone.
 *
 * @throws Error with one line that says what is wrong
 */
export async function prepareRoot(root: string): Promise<void> {
  if (!/^file:/i.test(root)) return;
  const problem = (reason: string) => new Error(`cannot use the storage root ${shownUri(root)}: ${reason}`);
  const path = fileURLToPath(root);
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(problem('its file system does not answer')), MAX_WAIT_MS);
  });
  try {
    await Promise.race([tryFolder(path, problem), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

async function tryFolder(path: string, problem: (reason: string) => Error): Promise<void> {
  try {
    const found = await stat(path).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return null;
      throw error;
    });
    if (found?.isDirectory() === false) throw problem('it is not a folder');
    if (!found) await mkdir(path);
    // The name of a partial file: `list` omits it, and should it stay behind, a later write removes it.
    const probe = join(path, `.llm-jobs-${randomUUID()}.part`);
    await writeFile(probe, 'x', { flag: 'wx' });
    await rm(probe, { force: true });
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    throw problem(REASONS[code]?.(path) ?? `it cannot be written (${code})`);
  }
}

const REASONS: Readonly<Record<string, (path: string) => string>> = {
  ENOENT: (path) => `it cannot be created in ${dirname(path)}; is a disk not mounted?`,
  ENOTDIR: () => 'a part of its path is a file',
  EACCES: () => 'this user may not write there (EACCES)',
  EPERM: () => 'this user may not write there (EPERM)',
  EROFS: () => 'it is read-only (EROFS)',
  EEXIST: () => 'it is not a folder',
  ENOSPC: () => 'its disk is full (ENOSPC)',
};

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
