/** Runs from now until their ends. */
import { setTimeout as sleep } from 'node:timers/promises';
import { plainDisplay, type Display } from './display.js';
import { CommandError, reportError, type Io } from './io.js';
import { resultOf, resultText } from './run-result.js';
import { adviceOnWorkers, progressOf, type NamedRun, type Session } from './session.js';

const ASK_EVERY_MS = 2_000;

/** Shows what happens on stderr and writes the result of each run to stdout, or why it has none to stderr. */
export async function follow(io: Io, session: Session, runs: readonly NamedRun[], isJson: boolean): Promise<void> {
  const display = plainDisplay(io, runs);
  const ids = runs.map(({ run }) => run.workflowId).join(' ');
  const onInterrupt = () => {
    const subject = runs.length === 1 ? 'The run continues. Follow it again' : 'The runs continue. Follow them again';
    io.err(`${subject} with: llm-jobs watch ${ids}. Cancel one with: llm-jobs cancel ${runs[0]?.run.workflowId}`);
    io.quit(INTERRUPTED);
  };
  process.once('SIGINT', onInterrupt);
  try {
    await Promise.all(runs.map((named) => followOne(io, session, named, display, isJson)));
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}

/** As shells report a process that was interrupted. */
const INTERRUPTED = 130;

async function followOne(io: Io, session: Session, named: NamedRun, display: Display, isJson: boolean): Promise<void> {
  const { run, kind, taskQueue } = named;
  try {
    const advice = await adviceOnWorkers(session, taskQueue);
    if (advice !== null) display.note(named, advice);
    await untilEnd(session, named, display);
    const result = await resultOf(named);
    const lines = isJson ? [JSON.stringify(result)] : resultText(run.workflowId, kind, result);
    display.print(() => lines.forEach(io.out));
  } catch (error) {
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
