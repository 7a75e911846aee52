/** What Ctrl-C does to runs that are followed: it leaves them alone, and at a terminal it asks first. */
import { createInterface } from 'node:readline/promises';
import type { Display } from './display.js';
import type { Io, Terminal } from './io.js';
import type { NamedRun } from './session.js';

type Choice = 'leave' | 'cancel' | 'watch';

/** As shells report a process that was interrupted. */
const INTERRUPTED = 130;

/** @returns the function that stops it */
export function onInterrupt(io: Io, display: Display, runs: readonly NamedRun[]): () => void {
  let asked: AbortController | null = null;
  const leave = () => {
    display.stop();
    io.err(leftText(runs));
    io.quit(INTERRUPTED);
  };
  const ask = async (terminal: Terminal, { signal }: AbortController) => {
    display.pause();
    const choice = await choiceAt(terminal, runs.length, signal);
    if (signal.aborted) return;
    if (choice === 'leave') return leave();
    if (choice === 'cancel') await Promise.all(runs.map(({ run }) => cancel(io, display, run)));
    display.resume();
  };
  const interrupt = () => {
    if (io.terminal === null || asked !== null) return leave();
    asked = new AbortController();
    void ask(io.terminal, asked).finally(() => {
      asked = null;
    });
  };
  process.on('SIGINT', interrupt);
  return () => {
    process.off('SIGINT', interrupt);
    asked?.abort();
  };
}

function leftText(runs: readonly NamedRun[]): string {
  const ids = runs.map(({ run }) => run.workflowId);
  const [subject, them] = runs.length === 1 ? ['The run continues', 'it'] : ['The runs continue', 'them'];
  return `${subject}. To follow ${them} again: llm-jobs watch ${ids.join(' ')}. To cancel one: llm-jobs cancel ${ids[0]}`;
}

async function cancel(io: Io, display: Display, run: NamedRun['run']): Promise<void> {
  try {
    if (await run.isOpen()) await run.cancel('at the terminal');
  } catch (error) {
    display.print(() => io.err(`${run.workflowId}: ${(error as Error).message}`));
  }
}

/** Enter, Ctrl-C and Ctrl-D leave: nothing is cancelled by mistake. */
async function choiceAt({ input, output }: Terminal, count: number, signal: AbortSignal): Promise<Choice> {
  const question = createInterface({ input, output });
  const closed = new Promise<string>((resolve) => {
    question.once('close', () => resolve(''));
  });
  question.once('SIGINT', () => question.close());
  const [them, jobs] = count === 1 ? ['it', 'The job goes'] : ['them', 'The jobs go'];
  const text = `${jobs} on without you. Leave ${them} running [l], cancel ${them} [c], or go on watching [w]? (l) `;
  try {
    while (true) {
      const answer = await Promise.race([question.question(text, { signal }), closed]);
      const choice = (['leave', 'cancel', 'watch'] as const).find((each) =>
        each.startsWith(answer.trim().toLowerCase()),
      );
      if (choice !== undefined) return choice;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    output.write('\n');
    return 'leave';
  } finally {
    question.close();
  }
}
