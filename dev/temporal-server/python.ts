import { runCommand } from './run-command.js';

/** A command that installs wheels into a folder. */
export interface Installer {
  name: string;
  command: string;
  /** What comes before `--target DIR -r FILE`. */
  args: string[];
}

const PYTHONS: [command: string, ...args: string[]][] =
  process.platform === 'win32' ? [['py', '-3'], ['python'], ['python3']] : [['python3'], ['python']];

/** The installers on this machine, pip of each Python first, then uv; and why the others can't be used. */
export async function findInstallers(env: NodeJS.ProcessEnv): Promise<{ installers: Installer[]; missing: string[] }> {
  const installers: Installer[] = [];
  const missing: string[] = [];
  for (const [command, ...args] of PYTHONS) {
    const pip = [...args, '-m', 'pip'];
    const problem = await cannotRun(command, [...pip, '--version'], env);
    if (problem === undefined) {
      const quietly = ['install', '--quiet', '--no-input', '--disable-pip-version-check', '--retries', '2'];
      installers.push({
        name: `${command} -m pip`,
        command,
        args: [...pip, ...quietly, '--no-deps', '--only-binary', ':all:'],
      });
      break;
    }
    missing.push(`${command} -m pip: ${problem}`);
  }
  const problem = await cannotRun('uv', ['--version'], env);
  if (problem === undefined) {
    const quietly = ['pip', 'install', '--quiet', '--no-python-downloads'];
    installers.push({ name: 'uv', command: 'uv', args: [...quietly, '--no-deps', '--no-build', '--require-hashes'] });
  } else {
    missing.push(`uv: ${problem}`);
  }
  return { installers, missing };
}

async function cannotRun(command: string, args: string[], env: NodeJS.ProcessEnv): Promise<string | undefined> {
  try {
    const { code, stderr, stdout } = await runCommand(command, args, { env, timeoutMs: 30_000 });
    if (code === 0) return undefined;
    return (stderr + stdout).trim().split('\n').at(-1) ?? `exit code ${code}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'not on the PATH';
    return (error as Error).message;
  }
}
