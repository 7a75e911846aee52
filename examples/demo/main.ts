/**
 * `npm run demo`: four jobs on this machine, with a Temporal server, a simulated API and a worker that is killed. See
 * `--help`.
 */
import { createDisplay } from './display.js';
import { startEnvironment } from './environment.js';
import { runAllJobs, TITLES } from './jobs.js';
import { runBatchOnly } from './live-batch.js';
import { readOptions, USAGE, type DemoOptions } from './options.js';
import { report } from './report.js';

/** The conventional exit code of a program that is ended by Ctrl-C. */
const INTERRUPTED = 130;

const say = (line: string): void => console.log(line);

async function main({ live, keep, speed }: DemoOptions, signal: AbortSignal): Promise<void> {
  if (live && !process.env.OPENAI_API_KEY) throw new Error('--live needs OPENAI_API_KEY in the environment');
  say(
    live ? liveNote() : `Everything runs on this machine. The API is simulated, with ${speed} h of work in a second.`,
  );
  const began = performance.now();
  const elapsed = () => `${((performance.now() - began) / 1_000).toFixed(1).padStart(5)} s`;
  const environment = await startEnvironment({ live, speed, say, signal });
  try {
    const display = createDisplay(live ? [TITLES.batch] : Object.values(TITLES), elapsed);
    const context = { environment, display, signal };
    const results = await (live ? runBatchOnly(context) : runAllJobs(context)).finally(display.stop);
    for await (const line of report(results, await environment.created())) say(line);
    say(`\nFinished after ${elapsed().trim()}. All files, with a manifest for each job, are in ${environment.folder}`);
    if (!keep) return say('The links answer only while the demo runs. To keep them: npm run demo -- --keep');
    say('The links answer until you press Ctrl-C.');
    await Promise.race([
      new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true })),
      environment.worker.broken,
    ]);
  } finally {
    await environment.stop();
  }
}

function liveNote(): string {
  const api = process.env.OPENAI_BASE_URL ?? "OpenAI's API";
  return (
    `Sending 66 short requests to ${api} as one batch. With gpt-5.4-mini this costs a few cents and takes from\n` +
    'minutes to 24 hours. Ctrl-C cancels the batch; requests answered before that are charged.'
  );
}

/** The first Ctrl-C shuts the demo down in order, a second one ends it immediately (and its processes with it). */
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

const signal = untilInterrupted();
let exitCode = 0;
try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) console.log(USAGE);
  else await main(options, signal);
} catch (error) {
  console.error(signal.aborted ? 'Interrupted.' : `The demo failed: ${messageOf(error)}`);
  exitCode = signal.aborted ? INTERRUPTED : 1;
}
// The connection to Temporal may be left with calls that wait for a retry.
process.exit(exitCode);

/** The message with those of its causes, since Temporal wraps errors. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${messageOf(error.cause)}` : error.message;
}
