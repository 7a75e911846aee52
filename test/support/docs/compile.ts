/** Compiles the code blocks of the docs in one run of the TypeScript compiler. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT, type CodeBlock } from './pages.js';

/**
 * What blocks may use without saying where it is from. Everything else they import or declare, so that a reader can copy
 * them.
 */
const KNOWN_NAMES = `
import type { Client } from '@temporalio/client';
import type OpenAI from 'openai';
import type { BatchRun, LlmJobsClient } from 'temporal-llm-jobs/client';
import type { Storage } from 'temporal-llm-jobs';
declare global {
  /** Temporal's client. */
  const client: Client;
  const openai: OpenAI;
  const jobs: LlmJobsClient;
  const run: BatchRun;
  const storage: Storage;
}
`;

/** Packages that a page tells to install, and that the project has no other use for. */
const OTHER_PACKAGES = `
declare module '@azure/identity' {
  export class DefaultAzureCredential {}
  export function getBearerTokenProvider(credential: DefaultAzureCredential, scope: string): () => Promise<string>;
}
`;

const ENTRY_POINTS = ['index', 'client', 'config', 'workflows', 'webhooks', 'testing/index'];

const importName = (entry: string): string =>
  entry === 'index' ? 'temporal-llm-jobs' : `temporal-llm-jobs/${entry.replace('/index', '')}`;

const CONFIG = {
  compilerOptions: {
    target: 'es2022',
    lib: ['es2023', 'es2024.string', 'esnext.disposable'],
    module: 'nodenext',
    types: ['node'],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowJs: true,
    checkJs: true,
    paths: Object.fromEntries(ENTRY_POINTS.map((entry) => [importName(entry), [join(ROOT, 'dist', `${entry}.d.ts`)]])),
  },
  include: ['**/*.ts', '**/*.js'],
};

const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');

/** A file that a block is, or that is part of one. */
interface SourceFile {
  readonly path: string;
  readonly page: string;
  /** Number in the page of the line before its first. */
  readonly before: number;
  readonly text: string;
}

/**
 * @param blocks of TypeScript or JavaScript, and of JSON that names a type of the package
 * @returns the errors of the compiler, each with page and line; none if all blocks compile
 */
export async function compileErrors(blocks: readonly CodeBlock[]): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'llm-jobs-docs-'));
  try {
    const files = blocks.flatMap(filesOf);
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'junction');
    await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(CONFIG));
    await writeFile(join(folder, 'known-names.d.ts'), KNOWN_NAMES);
    await writeFile(join(folder, 'other-packages.d.ts'), OTHER_PACKAGES);
    for (const { path, text } of files) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      // Names of one block are not those of another, so each is a module.
      await writeFile(join(folder, path), `${text}\nexport {};\n`);
    }
    const output = await run(folder);
    return output
      .split('\n')
      .filter(Boolean)
      .map((line) => inPage(line, files));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function run(folder: string): Promise<string> {
  try {
    const args = [TSC, '-p', 'tsconfig.json', '--pretty', 'false'];
    return (await promisify(execFile)(process.execPath, args, { cwd: folder })).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return `${stdout}${stderr}` || String(error);
  }
}

/**
 * A JSON block becomes a value of its type. Any other is one file, or several: a line such as `// worker.ts` begins the file of that name, which other blocks of the
 * page can import.
 */
function filesOf({ page, line, language, typeName, text }: CodeBlock): SourceFile[] {
  const folder = page.replace(/\.md$/, '');
  if (language === 'json') {
    const value = `import type { ${typeName} } from 'temporal-llm-jobs'; export const value: ${typeName} =\n${text};`;
    return [{ path: `${folder}/line-${line}.ts`, page, before: line - 2, text: value }];
  }
  const files: { name: string; before: number; lines: string[] }[] = [];
  for (const [index, each] of text.split('\n').entries()) {
    const name = /^\/\/ ([\w/-]+\.[jt]s)$/.exec(each)?.[1];
    const current = files.at(-1);
    if (name !== undefined || current === undefined) {
      files.push({ name: name ?? `line-${line}.${language}`, before: line - 1 + index, lines: [each] });
    } else {
      current.lines.push(each);
    }
  }
  return files.map(({ name, before, lines }) => ({
    path: `${folder}/${name}`,
    page,
    before,
    text: lines.join('\n'),
  }));
}

/** An error of the compiler with the place in the page. */
function inPage(error: string, files: readonly SourceFile[]): string {
  const [, path, line, rest] = /^(.+?)\((\d+),\d+\): (.*)$/.exec(error) ?? [];
  const file = files.find((each) => each.path === path);
  return file === undefined ? error : `${file.page}:${file.before + Number(line)}: ${rest}`;
}
