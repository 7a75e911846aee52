/** A run from now until its end, in lines. */
import type { Io } from './io.js';
import { stateText } from './progress-text.js';
import { resultOf, resultText, type RunResult } from './run-result.js';
import type { NamedRun } from './session.js';

/**
 * Writes each change to stderr, and the result to stdout.
 *
 * @throws CommandError if the run fails
 */
export async function follow(io: Io, named: NamedRun, isJson: boolean): Promise<void> {
  const { run, kind } = named;
  const { workflowId } = run;
  const onInterrupt = () => {
    io.err(
      `The run continues. Follow it again with: llm-jobs watch ${workflowId}. Cancel it with: llm-jobs cancel ${workflowId}`,
    );
    io.quit(INTERRUPTED);
  };
  process.once('SIGINT', onInterrupt);
  try {
    for await (const progress of run.watch()) io.err(stateText(progress));
    const result: RunResult = await resultOf(named);
    for (const line of isJson ? [JSON.stringify(result)] : resultText(workflowId, kind, result)) io.out(line);
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}

/** As shells report a process that was interrupted. */
const INTERRUPTED = 130;
