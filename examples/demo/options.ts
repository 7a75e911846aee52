import { parseArgs } from 'node:util';

export interface DemoOptions {
  /** Stay up afterwards, for looking around in the UI. */
  readonly keep: boolean;
  /** Run the batch against the real API. */
  readonly live: boolean;
  readonly help: boolean;
}

export const USAGE = `npm run demo [-- options]

Starts a Temporal dev server with its UI, a worker and an API, and runs real JSONL through them.

  --keep   stay up afterwards, for looking around in the UI; Ctrl-C ends it
  --live   run only the batch, against the real API: needs OPENAI_API_KEY, costs about a cent,
           takes from minutes to 24 hours; Ctrl-C cancels the batch
  --help   this text

Without --live everything is local: an API that plays OpenAI's, with an hour of its time in each second.`;

/** @throws TypeError that names an option that there is not */
export function readOptions(args: string[]): DemoOptions {
  const { values } = parseArgs({
    args,
    options: {
      keep: { type: 'boolean', default: false },
      live: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  return values;
}
