/** Finds the configuration file and loads it. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bounded } from '../contract/text.js';
import { redact } from '../provider/redact.js';
import { ConfigError } from './faults.js';

export type Environment = Readonly<Record<string, string | undefined>>;

const CONFIG_NAMES = ['ts', 'js', 'mjs', 'json'].map((extension) => `llm-jobs.config.${extension}`);

/** In place of a path: the environment alone. */
export const NO_FILE = 'none';

export interface LoadedFile {
  /** Absolute path. */
  readonly path: string;
  readonly content: unknown;
}

export interface Where {
  readonly environment: Environment;
  /** Absolute path of the working folder. */
  readonly folder: string;
  /** Path of the file, or `none`. @default `LLM_JOBS_CONFIG`, or the file of a known name in the folder */
  readonly file?: string | undefined;
}

/**
 * The configuration file; null where there is none.
 *
 * @throws ConfigError if the named file is not there, if there are two, or if it cannot be loaded
 */
export async function loadConfigFile({ environment, folder, file }: Where): Promise<LoadedFile | null> {
  const named = file ?? environment.LLM_JOBS_CONFIG?.trim();
  if (named === NO_FILE) return null;
  const path = named ? resolve(folder, named) : foundIn(folder);
  if (path === null) return null;
  if (!existsSync(path)) {
    const message = `there is no such file (see ${file === undefined ? 'LLM_JOBS_CONFIG' : '--config'})`;
    throw new ConfigError(path, [{ field: '', message }]);
  }
  return { path, content: await load(path, secretsIn(environment)) };
}

function foundIn(folder: string): string | null {
  const found = CONFIG_NAMES.filter((name) => existsSync(join(folder, name)));
  const [only] = found;
  if (found.length <= 1) return only === undefined ? null : join(folder, only);
  const message = `there are ${found.join(' and ')}: keep one, or name one by --config or LLM_JOBS_CONFIG`;
  throw new ConfigError(folder, [{ field: '', message }]);
}

async function load(path: string, secrets: readonly string[]): Promise<unknown> {
  const extension = extname(path);
  if (extension === '.json') return readJson(path);
  try {
    const exported = /^\.[cm]?ts$/.test(extension) ? await loadTypeScript(path) : await loadJavaScript(path);
    if (exported !== undefined) return exported;
  } catch (error) {
    // Only the first line: the next ones may quote the file.
    const [reason = ''] = String(error instanceof Error ? error.message : error).split('\n');
    throw new ConfigError(path, [{ field: '', message: `cannot be loaded: ${bounded(redact(reason, secrets))}` }]);
  }
  throw new ConfigError(path, [{ field: '', message: 'has no default export: export default defineConfig({ … })' }]);
}

async function loadJavaScript(path: string): Promise<unknown> {
  const module = (await import(pathToFileURL(path).href)) as { readonly default?: unknown };
  return module.default;
}

/** Node 20 does not read TypeScript, and later versions only some of it. */
async function loadTypeScript(path: string): Promise<unknown> {
  const { createJiti } = await import('jiti');
  // Without a cache on disk, which would keep a copy of the file.
  const module = await createJiti(import.meta.url, { fsCache: false, interopDefault: false }).import(path);
  return (module as { readonly default?: unknown }).default;
}

/** The parser's own message would quote the file. */
async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8');
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    const at = /at position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
    const before = at === undefined ? null : text.slice(0, Number(at)).split('\n');
    const where = before === null ? '' : ` (line ${before.length}, column ${(before.at(-1) ?? '').length + 1})`;
    throw new ConfigError(path, [{ field: '', message: `is no valid JSON${where}` }]);
  }
}

const MIN_SECRET_LENGTH = 6;

/** What variables hold whose names tell that it is a secret. */
export function secretsIn(environment: Environment): string[] {
  return Object.entries(environment).flatMap(([name, value = '']) =>
    /KEY|TOKEN|SECRET|PASSWORD/i.test(name) && value.trim().length >= MIN_SECRET_LENGTH ? [value.trim()] : [],
  );
}
