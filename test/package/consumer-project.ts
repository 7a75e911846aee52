/** A project that has installed the package. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface ConsumerProject {
  readonly folder: string;
  /** Runs a script with node in the folder; rejects, with its output, if it fails. */
  readonly node: (...args: string[]) => Promise<string>;
  readonly remove: () => Promise<void>;
}

/**
 * A folder outside the repository whose `node_modules` has a copy of the package and links to the packages of the
 * repository.
 *
 * @param files contents by name
 * @param absent packages or scopes that are not installed
 */
export async function consumerProject(
  files: Readonly<Record<string, string>>,
  absent: readonly string[] = [],
): Promise<ConsumerProject> {
  const folder = await mkdtemp(join(tmpdir(), 'llm-jobs-consumer-'));
  const modules = join(folder, 'node_modules');
  const installed = join(modules, 'temporal-llm-jobs');
  await mkdir(installed, { recursive: true });
  await cp(join(root, 'package.json'), join(installed, 'package.json'));
  await cp(join(root, 'dist'), join(installed, 'dist'), { recursive: true, filter: (path) => !path.endsWith('.map') });
  for (const name of await readdir(join(root, 'node_modules'))) {
    if (name.startsWith('.') || absent.includes(name)) continue;
    await symlink(join(root, 'node_modules', name), join(modules, name), 'junction');
  }
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return {
    folder,
    node: async (...args) => {
      const run = promisify(execFile)(process.execPath, args, { cwd: folder });
      const { stdout } = await run.catch((error: { stdout: string; stderr: string }) => {
        throw new Error(`node ${args.join(' ')} failed:\n${error.stdout}${error.stderr}`);
      });
      return stdout;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
