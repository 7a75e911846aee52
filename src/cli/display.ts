/** What is shown of runs that are followed. */
import type { Io } from './io.js';
import { stateText, type Shown } from './progress-text.js';
import type { NamedRun } from './session.js';

export interface Display {
  readonly show: (named: NamedRun, progress: Shown['progress']) => void;
  /** Says once what a person may have to do. */
  readonly note: (named: NamedRun, text: string) => void;
  readonly end: (named: NamedRun, state: 'done' | 'failed') => void;
  /** Lets lines be written that stay. */
  readonly print: (write: () => void) => void;
  /** Leaves the terminal to a question, until `resume`. */
  readonly pause: () => void;
  readonly resume: () => void;
  readonly stop: () => void;
}

/** A line for each change, with the workflow id where there are several runs. */
export function plainDisplay(io: Io, runs: readonly NamedRun[]): Display {
  const last = new Map<string, string>();
  const say = ({ run: { workflowId } }: NamedRun, text: string) => {
    if (last.get(workflowId) === text) return;
    last.set(workflowId, text);
    io.err(runs.length === 1 ? text : `${workflowId}  ${text}`);
  };
  return {
    show: (named, progress) => say(named, stateText(progress)),
    note: say,
    end: nothing,
    print: (write) => write(),
    pause: nothing,
    resume: nothing,
    stop: nothing,
  };
}

const nothing = (): void => undefined;
