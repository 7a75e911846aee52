/** `llm-jobs list`, `status`, `look`, `cancel`, `pause` and `resume`: their arguments. */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { RunKind } from '../client/list-runs.js';
import { JOB_STATES } from '../contract/search-attributes.js';
import { run, type Io } from './io.js';
import { KIND_NAMES } from './progress-text.js';
import type { CancelOptions, CommonOptions, ListCommandOptions } from './run-actions.js';

// Loaded on demand: Temporal's client would slow down the help and every wrong argument.
const actions = () => import('./run-actions.js');

export function runCommands(io: Io): Command[] {
  return [
    listCommand(io),
    runCommand(io, 'status', 'Show how far a run is, as it was seen last.'),
    runCommand(io, 'look', 'Read the job of a run at the provider now, and show it.'),
    cancelCommand(io),
    runCommand(io, 'pause', 'Pause a fine-tuning job, or the creating of batches of a bulk.'),
    runCommand(io, 'resume', 'Resume what was paused.'),
  ];
}

/** A command with the options that all have which talk to Temporal. */
export function command(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('--task-queue <name>', 'task queue of the workers (default: that of the configuration, or "llm-jobs")')
    .addOption(configOption())
    .option('--json', 'print JSON');
}

/** The option of all commands that need the configuration of the workers. */
export function configOption(): Option {
  const byDefault = 'LLM_JOBS_CONFIG, or llm-jobs.config.* in the working folder';
  return new Option('--config <file>', `configuration of the workers (default: ${byDefault})`);
}

const MAX_LISTED = 50;

function listCommand(io: Io): Command {
  const kinds = Object.entries(KIND_NAMES) as [RunKind, string][];
  return command('list', 'List the runs of the task queue, newest first. No provider is asked.')
    .addOption(new Option('--kind <kind>', 'only runs of this kind').choices(kinds.map(([, name]) => name)))
    .addOption(
      new Option('--status <state>', 'only runs in this state, also ended ones; needs llm-jobs setup').choices(
        JOB_STATES,
      ),
    )
    .option('--model <name>', 'only runs of this model; needs llm-jobs setup')
    .option('--all', 'also runs that have ended')
    .option('--limit <count>', 'runs that are listed', positive, MAX_LISTED)
    .action((options: ListCommandOptions) => run(io, async () => (await actions()).list(io, options)));
}

/** A command that takes the workflow id of a run, and prints its progress. */
function runCommand(io: Io, name: 'status' | 'look' | 'pause' | 'resume', description: string): Command {
  return command(name, description)
    .argument('<workflow-id>', 'workflow id of the run')
    .action((workflowId: string, options: CommonOptions) =>
      run(io, async () => (await actions()).showAfter(io, name, workflowId, options)),
    );
}

function cancelCommand(io: Io): Command {
  return command('cancel', 'Cancel the job of a run at the provider. The run ends with the partial results.')
    .argument('<workflow-id>', 'workflow id of the run')
    .option('--reason <text>', 'recorded in the result')
    .action((workflowId: string, options: CancelOptions) =>
      run(io, async () => (await actions()).cancel(io, workflowId, options)),
    );
}

function positive(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('It must be a whole number above 0.');
  return number;
}
