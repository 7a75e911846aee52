/** The commands of `llm-jobs` and their arguments. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { workerCommand } from './worker-command.js';

export function createProgram(): Command {
  const program = new Command('llm-jobs')
    .description('Durable Temporal workflows for batches and fine-tuning jobs of the OpenAI API.')
    .version(packageVersion())
    .showHelpAfterError('Add --help to see the usage.');
  return program.addCommand(workerCommand().copyInheritedSettings(program));
}

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}
