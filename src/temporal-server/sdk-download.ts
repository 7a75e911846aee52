/**
 * The SDK's own download. The SDK only downloads in order to start a server, so a child process starts one and can be
 * killed if it stalls.
 */
import { readdirSync } from 'node:fs';
import { chmod, rename } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { TemporalBinary } from './binaries.js';
import { bytesIn, cachedBinary, executableName, installBinary, type CachedBinary } from './cache.js';
import { runCommand } from './processes.js';
import { withProgress, type ShowProgress } from './progress.js';

const DOWNLOAD_LIMIT_MS = 15 * 60_000;

/**
 * After this long without a byte the host counts as unreachable. The SDK would wait for the system's own time-out,
 * which is minutes.
 */
const STALL_LIMIT_MS = 15_000;
const STALL_CHECK_MS = 500;

const CHILD = `
const [testing, create, downloadDir] = process.argv.slice(1);
const { TestWorkflowEnvironment } = require(testing);
TestWorkflowEnvironment[create]({ server: { executable: { type: 'cached-download', downloadDir } } })
  .then((env) => env.teardown())
  .then(() => process.exit(0), (error) => { console.error(error.message); process.exit(1); });
`;

const require = createRequire(import.meta.url);

/** @throws if the SDK's package for tests, which is optional, is not installed */
export function cachedDownload(binary: TemporalBinary, env: NodeJS.ProcessEnv): CachedBinary {
  const { version } = sdkPackage();
  return cachedBinary(binary, `${binary.command}-by-sdk-${version}`, env);
}

function sdkPackage(): { readonly version: string } {
  try {
    return require('@temporalio/testing/package.json') as { version: string };
  } catch (error) {
    throw new Error('@temporalio/testing is not installed', { cause: error });
  }
}

/** Lets the SDK download the binary into the cache. @throws the reason if that is impossible */
export async function downloadBySdk(
  binary: TemporalBinary,
  env: NodeJS.ProcessEnv,
  show: ShowProgress,
  stallLimitMs: number = STALL_LIMIT_MS,
): Promise<string> {
  return installBinary(binary, cachedDownload(binary, env), env, async (folder) => {
    const stall = watchForStall(folder, binary, stallLimitMs);
    try {
      const args = ['-e', CHILD, require.resolve('@temporalio/testing'), binary.sdkServer, folder];
      const options = { env, timeoutMs: DOWNLOAD_LIMIT_MS, signal: stall.signal };
      const result = await withProgress(
        show,
        `Downloading \`${binary.command}\` with the Temporal SDK`,
        () => bytesIn(folder),
        () => runCommand(process.execPath, args, options),
      );
      const downloaded = downloadedFile(folder, binary);
      if (downloaded === undefined) throw new Error(withoutUrls(result.stderr) || `exit code ${result.code}`);
      const path = join(folder, executableName(binary.command));
      await rename(join(folder, downloaded), path);
      await chmod(path, 0o755);
    } finally {
      stall.stop();
    }
  });
}

/** A signal that is aborted when the folder stops growing before it holds the whole binary. */
function watchForStall(
  folder: string,
  binary: TemporalBinary,
  limitMs: number,
): { readonly signal: AbortSignal; readonly stop: () => void } {
  const controller = new AbortController();
  let size = 0;
  let grewAt = Date.now();
  const check = async () => {
    const bytes = await bytesIn(folder);
    if (bytes !== size || downloadedFile(folder, binary) !== undefined) grewAt = Date.now();
    size = bytes;
    if (Date.now() - grewAt > limitMs) controller.abort(new Error(`no data for ${limitMs / 1_000} s`));
  };
  const timer = setInterval(() => void check(), Math.min(STALL_CHECK_MS, limitMs / 2));
  return { signal: controller.signal, stop: () => clearInterval(timer) };
}

/**
 * The SDK names the file `temporal-sdk-typescript-1.24.0` after itself, with a further suffix while it is being
 * written.
 */
function downloadedFile(folder: string, binary: TemporalBinary): string | undefined {
  return readdirSync(folder).find((name) => name.startsWith(`${binary.command}-`) && !name.endsWith('.downloading'));
}

/** `a: error sending request for url (…): cause` → `a: cause` */
function withoutUrls(message: string): string {
  return message
    .trim()
    .replace(/^Failed to start ephemeral server: /, '')
    .replaceAll(/error sending request for url \([^)]*\): /g, '');
}
