import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { commandsOf, EXAMPLES } from '../../../src/cli/examples.js';
import { EXIT_CODES } from '../../../src/cli/io.js';
import { createProgram } from '../../../src/cli/program.js';

const reference = readFileSync(fileURLToPath(new URL('../../../docs/reference/commands.md', import.meta.url)), 'utf8');

function optionsOf(command: Command): string[] {
  return [...command.options.map(({ long }) => long ?? ''), ...command.commands.flatMap(optionsOf)];
}

test('docs/reference/commands.md → every command and every option', () => {
  const program = createProgram();
  const names = commandsOf(program).map(([name]) => name);
  expect(names.length).toBeGreaterThan(15);
  for (const name of names) expect(reference).toContain(name === 'fine-tune start' ? '… start FILE' : `\`${name}`);
  const options = new Set(optionsOf(program).filter((option) => option !== '--version'));
  for (const option of options) expect(reference).toContain(`\`${option}`);
});

test('every command → examples in its help, of that command and with options that it has', () => {
  const commands = new Map(commandsOf(createProgram()));
  expect(Object.keys(EXAMPLES).toSorted()).toEqual([...commands.keys()].toSorted());
  for (const [name, command] of commands) {
    for (const example of EXAMPLES[name] ?? []) {
      expect(example).toContain(`llm-jobs ${name}`);
      const options = [...example.split('|')[0]!.matchAll(/ (--[a-z-]+)/g)].map(([, option]) => option);
      const known = command.options.map(({ long }) => long);
      for (const option of options) expect(known).toContain(option);
    }
  }
});

test('docs/reference/commands.md and the help → every exit code', () => {
  const help: string[] = [];
  const program = createProgram().configureOutput({ writeOut: (text) => help.push(text) });
  program.outputHelp();
  for (const code of Object.values(EXIT_CODES)) {
    expect(reference).toMatch(new RegExp(`^\\| ${code} `, 'm'));
    expect(help.join('')).toMatch(new RegExp(`^ {2}${code} `, 'm'));
  }
});
