/** What the docs show is true of the package: code compiles, JSON parses, commands and variables exist. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { createProgram } from '../../../src/cli/program.js';
import { compileErrors } from '../../support/docs/compile.js';
import { allPages, ROOT } from '../../support/docs/pages.js';
import { commandsIn } from '../../support/docs/shell.js';

const pages = allPages();
const blocks = pages.flatMap((page) => page.blocks);
const blocksOf = (...languages: string[]) => blocks.filter(({ language }) => languages.includes(language));

const LANGUAGES = ['ts', 'js', 'json', 'jsonl', 'sh', 'python', 'go', 'mermaid', 'toml', 'text'];

test('code blocks → each names a language that is checked, or one that is not code', () => {
  const others = blocks.filter(({ language }) => !LANGUAGES.includes(language));
  expect(others.map(({ page, line, language }) => `${page}:${line} ${language}`)).toEqual([]);
});

test('ts and js blocks, and json blocks that name a type → compile against the package', async () => {
  const code = [...blocksOf('ts', 'js'), ...blocksOf('json').filter(({ typeName }) => typeName !== '')];
  expect(code.length).toBeGreaterThan(3);
  expect(await compileErrors(code)).toEqual([]);
});

test('json and jsonl blocks → parse', () => {
  const faults = blocksOf('json', 'jsonl').flatMap(({ page, line, language, text }) => {
    try {
      (language === 'json' ? [text] : text.split('\n')).forEach((each) => void JSON.parse(each));
      return [];
    } catch (error) {
      return [`${page}:${line}: ${String(error)}`];
    }
  });
  expect(faults).toEqual([]);
});

interface FoundCommand {
  readonly place: string;
  /** In a sentence, a command may be named without its arguments. */
  readonly isNamed: boolean;
  readonly words: readonly string[];
}

/** The commands of all shell blocks and code spans. */
const commands: FoundCommand[] = [
  ...blocksOf('sh').flatMap(({ page, line, text }) =>
    commandsIn(text).map(({ words, source }) => ({ place: `${page}:${line}: ${source}`, isNamed: false, words })),
  ),
  ...pages.flatMap(({ path, prose }) =>
    [...prose.matchAll(/`((?:npx )?llm-jobs [^`]+|npm run [^`]+)`/g)].flatMap(([, span = '']) =>
      commandsIn(span).map(({ words }) => ({ place: `${path}: ${span}`, isNamed: true, words })),
    ),
  ),
];

/** The program without its actions: it only parses. */
function parser(): Command {
  const program = createProgram();
  const disarm = (each: Command) => {
    each
      .action(() => undefined)
      .exitOverride()
      .configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
    each.commands.forEach(disarm);
  };
  program.commands.forEach(disarm);
  return program.exitOverride().configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
}

/** Ends that are no faults. */
const HARMLESS = ['commander.helpDisplayed', 'commander.help', 'commander.version'];

test('llm-jobs in the docs → each command, argument and option exists', () => {
  const calls = commands.flatMap(({ place, isNamed, words }) => {
    const at = words[0] === 'npx' ? 1 : 0;
    return words[at] === 'llm-jobs' ? [{ place, isNamed, args: words.slice(at + 1) }] : [];
  });
  expect(calls.length).toBeGreaterThan(10);
  const faults = calls.flatMap(({ place, isNamed, args }) => {
    try {
      parser().parse(args, { from: 'user' });
      return [];
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      const isFine = HARMLESS.includes(code ?? '') || (isNamed && code === 'commander.missingArgument');
      return isFine ? [] : [`${place}: ${message}`];
    }
  });
  expect(faults).toEqual([]);
});

test('npm run in the docs → each script exists', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
  const named = commands.filter(({ words: [program, verb] }) => program === 'npm' && verb === 'run');
  expect(named.length).toBeGreaterThan(3);
  const unknown = named.filter(
    ({ words }) => !Object.hasOwn(scripts, words.slice(2).find((word) => !word.startsWith('-')) ?? ''),
  );
  expect(unknown.map(({ place }) => place)).toEqual([]);
});

/** All code of a folder. */
function textIn(folder: string): string {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|mjs)$/.test(name))
    .map((name) => readFileSync(join(ROOT, folder, name), 'utf8'))
    .join('\n');
}

test('LLM_JOBS_… in the docs → each variable is read by the code', () => {
  const published = textIn('src');
  const development = ['dev', 'test', 'scripts', 'bench', 'examples'].map(textIn).join('\n');
  const unknown = pages.flatMap(({ path }) => {
    const text = readFileSync(join(ROOT, path), 'utf8');
    const isForUsers = path === 'README.md' || path.startsWith('docs/');
    const code = isForUsers && !path.startsWith('docs/decisions/') ? published : published + development;
    const names = new Set([...text.matchAll(/LLM_JOBS_[A-Z0-9_]*[A-Z0-9]/g)].map(([name]) => name));
    return [...names].filter((name) => !code.includes(name)).map((name) => `${path}: ${name}`);
  });
  expect(unknown).toEqual([]);
});
