import { parseArgs } from 'node:util';

export interface DemoOptions {
  /** Stay up afterwards, for looking around in the UI. */
  readonly keep: boolean;
  /** Run the batch against the real API. */
  readonly live: boolean;
  /** Hours of the simulated API's time in each second. */
  readonly speed: number;
  readonly help: boolean;
}

export const USAGE = `npm run demo [-- options]

Starts a Temporal dev server with its UI, a worker and an API, and runs real JSONL through them.

  --keep   stay up afterwards, for looking around in the UI; Ctrl-C ends it
  --live   run only the batch, against the real API: needs OPENAI_API_KEY, costs about a cent,
           takes from minutes to 24 hours; Ctrl-C cancels the batch
  --speed  hours of the simulated API's time in each second: 1 if nothing is said
  --help   this text

Without --live everything is local: an API that plays OpenAI's, on a clock that runs fast.`;

/** @throws Error that names the option that is wrong */
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
  if (!(speed >= 0.01 && speed <= 10))
    throw new Error(`--speed must lie between 0.01 and 10, and not be ${values.speed}`);
  return { ...values, speed };
}
