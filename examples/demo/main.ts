/** `npm run demo`: a Temporal server, an API, a worker and three jobs, on this machine. See `--help`. */
import { createDisplay } from './display.js';
import { readOptions, USAGE, type DemoOptions } from './options.js';
import { report } from './report.js';
import { setStage } from './stage.js';
import { playAll, playBatch, TITLES } from './story.js';

/** How a shell tells a program that was ended by Ctrl-C. */
const INTERRUPTED = 130;

const say = (line: string): void => console.log(line);

async function main({ live, keep, speed }: DemoOptions, signal: AbortSignal): Promise<void> {
  if (live && !process.env.OPENAI_API_KEY) throw new Error('--live needs OPENAI_API_KEY in the environment');
  say(live ? liveNote() : `Everything here is local: a simulated API, with ${speed} h of its time in each second.`);
  const began = performance.now();
  const stage = await setStage({ live, speed, say, signal });
  try {
    const display = createDisplay(live ? [TITLES.batch] : Object.values(TITLES));
    const scene = { stage, display, signal };
    const outcome = await (live ? playBatch(scene) : playAll(scene)).finally(display.stop);
    for await (const line of report(outcome)) say(line);
    const seconds = Math.round((performance.now() - began) / 1_000);
    say(`\nAll of it took ${seconds} s. The files are in ${stage.folder}`);
    if (!keep) return say('The UI ends with the demo; `npm run demo -- --keep` leaves it up.');
    say(`The UI stays up at ${stage.uiUrl} until Ctrl-C.`);
    await Promise.race([
      new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true })),
      stage.broken,
    ]);
  } finally {
    await stage.stop();
  }
}

function liveNote(): string {
  const api = process.env.OPENAI_BASE_URL ?? "OpenAI's API";
  return (
    `Live: 66 short requests to ${api}, as one batch. With gpt-4o-mini that costs about a cent, and takes from minutes to\n` +
    '24 hours. Ctrl-C cancels the batch; what was answered until then is charged.'
  );
}

/** The first Ctrl-C ends the demo in order; a second one at once (its processes end with it). */
function untilInterrupted(): AbortSignal {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    controller.abort(new Error('interrupted'));
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, interrupt);
  process.stdout.on('error', interrupt);
  return controller.signal;
}

let options: DemoOptions | undefined;
const signal = untilInterrupted();
try {
  options = readOptions(process.argv.slice(2));
  if (options.help) console.log(USAGE);
  else await main(options, signal);
} catch (error) {
  console.error(signal.aborted ? 'Interrupted.' : `The demo failed: ${reasonOf(error)}`);
  process.exitCode = signal.aborted ? INTERRUPTED : 1;
}

/** The chain of causes: Temporal wraps what happened. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${reasonOf(error.cause)}` : error.message;
}
