/** The SDK's own download. It belongs to starting a server, so one is started in a child process, which can be ended when nothing arrives. */
import { readdirSync } from 'node:fs';
import { chmod, rename } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Binary } from './binaries.js';
import { bytesIn, cacheRoot, installInto } from './cache.js';
import { probe } from './probe.js';
import { withProgress, type ShowProgress } from './progress.js';
import { runCommand } from './run-command.js';

const DOWNLOAD_LIMIT_MS = 15 * 60_000;

/** After so long without a byte the host is taken for unreachable: the SDK itself would wait for the system's own time-out, minutes. */
const STALL_LIMIT_MS = 15_000;

// Plain JavaScript in a string, since the same line has to work from src/ (tsx, vitest) and from dist/.
const CHILD = `
const [testing, create, downloadDir] = process.argv.slice(1);
const { TestWorkflowEnvironment } = require(testing);
TestWorkflowEnvironment[create]({ server: { executable: { type: 'cached-download', downloadDir } } })
  .then((env) => env.teardown())
  .then(() => process.exit(0), (error) => { console.error(error.message); process.exit(1); });
`;

const require = createRequire(import.meta.url);

/** Where the cache has, or would have, this binary; undefined when `@temporalio/testing` is not installed. */
export function downloadCachePath(binary: Binary, env: NodeJS.ProcessEnv): string | undefined {
  const folder = cacheFolder(binary, env);
  return folder === undefined ? undefined : binaryIn(folder, binary);
}

/** Lets the SDK download the binary into the cache; rejects with the reason if that can't be done. */
export async function downloadBySdk(
  binary: Binary,
  env: NodeJS.ProcessEnv,
  show: ShowProgress,
  stallLimitMs: number = STALL_LIMIT_MS,
): Promise<string> {
  const target = cacheFolder(binary, env);
  if (target === undefined) throw new Error('the optional peer dependency @temporalio/testing is not installed');
  const path = binaryIn(target, binary);
  const fill = async (folder: string) => {
    const stalled = stallWatch(folder, binary, stallLimitMs);
    try {
      const result = await withProgress(
        show,
        `Downloading \`${binary.command}\` with the Temporal SDK`,
        () => bytesIn(folder),
        () =>
          runCommand(
            process.execPath,
            ['-e', CHILD, require.resolve('@temporalio/testing'), binary.sdkServer, folder],
            {
              env,
              timeoutMs: DOWNLOAD_LIMIT_MS,
              signal: stalled.signal,
            },
          ),
      );
      const downloaded = downloadedFile(folder, binary);
      if (downloaded === undefined) throw new Error(withoutUrls(result.stderr) || `exit code ${result.code}`);
      await rename(join(folder, downloaded), binaryIn(folder, binary));
      await chmod(binaryIn(folder, binary), 0o755);
      await probe(binary, binaryIn(folder, binary), env);
    } finally {
      stalled.stop();
    }
  };
  const works = () =>
    probe(binary, path, env).then(
      () => true,
      () => false,
    );
  await installInto(target, fill, works);
  return path;
}

/** Aborts when the folder has not grown for a while, until the whole binary is there. */
function stallWatch(folder: string, binary: Binary, limitMs: number): { signal: AbortSignal; stop: () => void } {
  const controller = new AbortController();
  let size = 0;
  let grewAt = Date.now();
  const look = async () => {
    const now = await bytesIn(folder);
    if (now !== size || downloadedFile(folder, binary) !== undefined) grewAt = Date.now();
    size = now;
    if (Date.now() - grewAt > limitMs) controller.abort(new Error(`nothing arrived for ${limitMs / 1000} s`));
  };
  const timer = setInterval(() => void look(), Math.min(500, limitMs / 2));
  return { signal: controller.signal, stop: () => clearInterval(timer) };
}

/** The SDK names its file for itself and its version (`temporal-sdk-typescript-1.24.0`), with one more suffix while it is being written. */
function downloadedFile(folder: string, binary: Binary): string | undefined {
  return readdirSync(folder).find((name) => name.startsWith(`${binary.command}-`) && !name.endsWith('.downloading'));
}

/** `a: error sending request for url (…): cause` → `a: cause` */
function withoutUrls(message: string): string {
  return message
    .trim()
    .replace(/^Failed to start ephemeral server: /, '')
    .replaceAll(/error sending request for url \([^)]*\): /g, '');
}

function cacheFolder(binary: Binary, env: NodeJS.ProcessEnv): string | undefined {
  try {
    const { version } = require('@temporalio/testing/package.json') as { version: string };
    return join(cacheRoot(env), `${binary.command}-by-sdk-${version}`);
  } catch {
    return undefined;
  }
}

function binaryIn(folder: string, binary: Binary): string {
  return join(folder, process.platform === 'win32' ? `${binary.command}.exe` : binary.command);
}
