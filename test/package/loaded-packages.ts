/** What Node loads for an entry point of the package, as built in dist/. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));

const HOOKS = `
  import { writeSync } from 'node:fs';
  export async function load(url, context, next) { writeSync(1, url + '\\n'); return next(url, context); }`;

/** Every module that is loaded, as a URL or a path, found by a loader hook. */
export async function loadedModules(entry: string): Promise<string[]> {
  const main = `
    import { register } from 'node:module';
    register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(HOOKS)}`)});
    await import(${JSON.stringify(entry)});
    for (const path of Object.keys((await import('node:module')).default._cache)) console.log(path);`;
  const args = ['--input-type=module', '-e', main];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
  return stdout.split('\n').filter((line) => line !== '');
}

/** The packages of the modules. */
export function packagesOf(modules: readonly string[]): string[] {
  const names = modules.flatMap((module) => {
    const [, name] = /.*node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(module) ?? [];
    return name === undefined ? [] : [name.replace('\\', '/')];
  });
  return [...new Set(names)];
}
