/** `llm-jobs setup`: its arguments. */
import type { Command } from 'commander';
import { run, type Io } from './io.js';
import { command } from './run-commands.js';
import type { SetupOptions } from './setup-actions.js';

export function setupCommand(io: Io): Command {
  return command(
    'setup',
    'Register the search attributes of runs in the namespace, and print lists for the Temporal UI.',
  )
    .option('--ui <url>', 'address of the Temporal UI (default: known for a dev server and for Temporal Cloud)')
    .addHelpText('after', '\nIt can be repeated. Without it, runs work all the same, and lists do not tell them apart.')
    .action((options: SetupOptions) => run(io, async () => (await import('./setup-actions.js')).setup(io, options)));
}
