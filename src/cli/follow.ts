/** Runs from now until their ends. */
import { setTimeout as sleep } from 'node:timers/promises';
import { plainDisplay, type Display } from './display.js';
import { onInterrupt } from './interrupt.js';
import { CommandError, reportError, type Io, type Terminal } from './io.js';
import { resultOf, resultText } from './run-result.js';
import { adviceOnWorkers, progressOf, type NamedRun, type Session } from './session.js';

const ASK_EVERY_MS = 2_000;

/** Shows what happens on stderr, as bars at a terminal, and writes the result of each run to stdout, or why it has none to stderr. */
export async function follow(io: Io, session: Session, runs: readonly NamedRun[], isJson: boolean): Promise<void> {
  const display = io.terminal === null ? plainDisplay(io, runs) : await barsOn(io.terminal, runs);
  const stopAsking = onInterrupt(io, display, runs);
  try {
    await Promise.all(runs.map((named) => followOne(io, session, named, display, isJson)));
  } finally {
    stopAsking();
    display.stop();
  }
}

/** Loaded on demand, since most commands draw nothing. */
async function barsOn({ output }: Terminal, runs: readonly NamedRun[]): Promise<Display> {
  const { liveDisplay } = await import('./live-display.js');
  return liveDisplay(output, runs);
}

async function followOne(io: Io, session: Session, named: NamedRun, display: Display, isJson: boolean): Promise<void> {
  const { run, kind, taskQueue } = named;
  try {
    const advice = await adviceOnWorkers(session, taskQueue);
    if (advice !== null) display.note(named, advice);
    await untilEnd(session, named, display);
    const result = await resultOf(named);
    const lines = isJson ? [JSON.stringify(result)] : resultText(run.workflowId, kind, result);
    display.end(named, 'done');
    display.print(() => lines.forEach(io.out));
  } catch (error) {
    display.end(named, 'failed');
    display.print(() => reportError(io, error));
  }
}

/** A worker that does not answer may be started later, and is not needed for the result of a run that has ended. */
async function untilEnd(session: Session, named: NamedRun, display: Display): Promise<void> {
  for (let isOpen = true; isOpen;) {
    isOpen = await named.run.isOpen();
    try {
      display.show(named, await progressOf(session, named));
    } catch (error) {
      if (!isOpen) return;
      if (!(error instanceof CommandError)) throw error;
      display.note(named, `${error.message}. ${error.next}`);
    }
    if (isOpen) await sleep(ASK_EVERY_MS);
  }
}
