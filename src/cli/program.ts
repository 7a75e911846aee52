/** The commands of `llm-jobs` and their arguments. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { accountCommands } from './account-commands.js';
import { completionCommand } from './completion.js';
import { devCommand } from './dev-command.js';
import { addExamples } from './examples.js';
import { CONSOLE, type Io } from './io.js';
import { runCommands } from './run-commands.js';
import { setupCommand } from './setup-command.js';
import { startCommands } from './start-commands.js';
import { workerCommand } from './worker-command.js';

const EXIT_CODES = `
Exit codes:
  0  done
  1  wrong arguments, input or configuration
  2  the run has failed
  3  no Temporal server, no worker, or no provider answers
  4  there is no such run
  5  not possible: the run has ended, or the run or provider refuses

Temporal's own variables name the server: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_PROFILE.

Examples:
  $ llm-jobs dev
  $ llm-jobs worker
  $ llm-jobs batch run requests.jsonl
  $ llm-jobs list
  $ llm-jobs status batch-1
  $ llm-jobs cancel batch-1 --reason "too slow"`;

export function createProgram(io: Io = CONSOLE): Command {
  const program = new Command('llm-jobs')
    .description('Durable Temporal workflows for batches and fine-tuning jobs of the OpenAI API.')
    .version(packageVersion())
    .showHelpAfterError('Add --help to see the usage.');
  const commands = [
    devCommand(io),
    workerCommand(io),
    ...startCommands(io),
    ...runCommands(io),
    ...accountCommands(io),
    setupCommand(io),
    completionCommand(io, program),
  ];
  for (const command of commands) program.addCommand(inheriting(command, program));
  addExamples(program);
  return program.addHelpText('after', EXIT_CODES);
}

/** Commands that are made by themselves, and theirs, take over the settings of the program. */
function inheriting(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const each of command.commands) inheriting(each, command);
  return command;
}

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}
