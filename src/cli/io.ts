/** Where the commands write, and how they end. */

/** Documented in the help of `llm-jobs`. */
export const EXIT_CODES = {
  done: 0,
  /** Wrong arguments: commander's own. */
  usage: 1,
  /** The run that was waited for has failed. */
  failed: 2,
  /** Temporal, or the provider, cannot be reached. */
  unreachable: 3,
  notFound: 4,
  /** What was asked of a run is not possible: it has ended, or the provider refuses. */
  refused: 5,
} as const;

/** Where a person sits. */
export interface Terminal {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
}

export interface Io {
  /** Writes a line to stdout. */
  readonly out: (line: string) => void;
  /** Writes a line to stderr. */
  readonly err: (line: string) => void;
  /** Sets the exit code. */
  readonly exit: (code: number) => void;
  /** Ends the process now. */
  readonly quit: (code: number) => void;
  /** Null where stdin or stderr is none, and where it cannot be redrawn. */
  readonly terminal: Terminal | null;
}

export const CONSOLE: Io = {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  exit: (code) => {
    process.exitCode = code;
  },
  quit: (code) => process.exit(code),
  terminal: terminalOf(process),
};

function terminalOf({ stdin, stderr, env }: NodeJS.Process): Terminal | null {
  return stdin.isTTY && stderr.isTTY && env.TERM !== 'dumb' ? { input: stdin, output: stderr } : null;
}

/** What went wrong, and what to do next. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: number;
  readonly next: string;

  constructor(code: number, message: string, next: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.next = next;
  }
}

/** Runs what a command does. An error is two lines on stderr at most: what went wrong, and what to do next. */
export async function run(io: Io, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    reportError(io, error);
  }
}

export function reportError({ err, exit }: Io, error: unknown): void {
  err(`llm-jobs: ${error instanceof Error ? error.message : String(error)}`);
  if (error instanceof CommandError) err(error.next);
  exit(error instanceof CommandError ? error.code : EXIT_CODES.usage);
}
