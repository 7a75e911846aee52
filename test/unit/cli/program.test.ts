import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { EXIT_CODES } from '../../../src/cli/io.js';
import { createProgram } from '../../../src/cli/program.js';

const reference = readFileSync(fileURLToPath(new URL('../../../docs/reference/commands.md', import.meta.url)), 'utf8');

/** Such as `webhooks setup`. */
function namesOf(command: Command, prefix = ''): string[] {
  return command.commands.flatMap((each) => {
    const name = `${prefix}${each.name()}`;
    return each.commands.length > 0 ? namesOf(each, `${name} `) : [name];
  });
}

function optionsOf(command: Command): string[] {
  return [...command.options.map(({ long }) => long ?? ''), ...command.commands.flatMap(optionsOf)];
}

test('docs/reference/commands.md → every command and every option', () => {
  const program = createProgram();
  const names = namesOf(program);
  expect(names.length).toBeGreaterThan(15);
  for (const name of names) expect(reference).toContain(name === 'fine-tune start' ? '… start FILE' : `\`${name}`);
  const options = new Set(optionsOf(program).filter((option) => option !== '--version'));
  for (const option of options) expect(reference).toContain(`\`${option}`);
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
