import { parseArgs } from 'node:util';

export interface DemoOptions {
  /** Whether to keep the server running afterwards, to explore the UI. */
  readonly keep: boolean;
  /** Whether to run the batch against the real API. */
  readonly live: boolean;
  /** Hours of the simulated API's time per second. */
  readonly speed: number;
  readonly help: boolean;
}

export const USAGE = `npm run demo [-- options]

Starts a Temporal dev server with its UI, a worker and a simulated API, and runs three jobs on them.

  --keep   keep the server running afterwards, to explore the UI; stop it with Ctrl-C
  --live   run only the batch, against the real API: needs OPENAI_API_KEY, costs about a cent,
           takes from minutes to 24 hours; Ctrl-C cancels the batch
  --speed  hours of the simulated API's time per second, from 0.01 to 10 (default: 1)
  --help   show this text

Without --live everything runs on this machine, and no key is needed.`;

/** @throws if an option is unknown or its value is not allowed; the message names the option */
export function readOptions(args: string[]): DemoOptions {
  const { values } = parseArgs({
    args,
    options: {
      keep: { type: 'boolean', default: false },
      live: { type: 'boolean', default: false },
      speed: { type: 'string', default: '1' },
      help: { type: 'boolean', default: false },
    },
  });
  const speed = Number(values.speed);
  if (!(speed >= 0.01 && speed <= 10)) throw new Error(`--speed must be between 0.01 and 10, not ${values.speed}`);
  return { ...values, speed };
}
