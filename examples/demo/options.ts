import { parseArgs } from 'node:util';

export interface DemoOptions {
  /** Whether to keep everything running afterwards, so that the links answer. */
  readonly keep: boolean;
  /** Whether to run the batch against the real API. */
  readonly live: boolean;
  /** Hours of work that the simulated API does in a second. */
  readonly speed: number;
  readonly help: boolean;
}

export const USAGE = `npm run demo [-- options]

Starts a Temporal dev server with its UI, a worker and a simulated API, runs four jobs on them, and kills the worker
in the middle.

  --keep   keep everything running afterwards, so that the links answer, until Ctrl-C;
           this is the default at a terminal, and --no-keep ends at once
  --live   run only the batch, against the real API: needs OPENAI_API_KEY, costs a few cents,
           takes from minutes to 24 hours; Ctrl-C cancels the batch
  --speed  hours of work that the simulated API does in a second, from 0.01 to 10 (default: 1.5)
  --help   show this text

Without --live everything runs on this machine, and no key is needed.`;

/** @throws if an option is unknown or its value is not allowed; the message names the option */
export function readOptions(args: string[]): DemoOptions {
  const { values } = parseArgs({
    args,
    allowNegative: true,
    options: {
      keep: { type: 'boolean', default: isAtTerminal() },
      live: { type: 'boolean', default: false },
      speed: { type: 'string', default: '1.5' },
      help: { type: 'boolean', default: false },
    },
  });
  const speed = Number(values.speed);
  if (!(speed >= 0.01 && speed <= 10)) throw new Error(`--speed must be between 0.01 and 10, not ${values.speed}`);
  return { ...values, speed };
}

/** Whether somebody is there who can follow links and press Ctrl-C. */
const isAtTerminal = (): boolean => [process.stdin, process.stdout].every(({ isTTY }) => isTTY) && !process.env.CI;
