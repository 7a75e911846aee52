/** A command at a terminal, by Python's `pty`: Node has none of its own. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { stripVTControlCharacters } from 'node:util';
import { onTestFinished } from 'vitest';
import { waitFor } from '../../dev/stage/wait-for.js';

const CODE = `
import fcntl, os, pty, struct, sys, termios
def read(fd):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', 30, 100, 0, 0))
    return os.read(fd, 1024)
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:], read)))`;

export const hasPseudoTerminals =
  spawnSync('python3', ['-c', 'import pty; import os; os.waitstatus_to_exitcode']).status === 0;

export interface AtTerminal {
  /** Types keys, such as `\u0003` for Ctrl-C. */
  readonly type: (keys: string) => void;
  /** Waits until the terminal has shown a text since the last wait. Colours do not count. Returns the text and its groups. */
  readonly shows: (text: string | RegExp) => Promise<readonly string[]>;
  /** The exit code. */
  readonly ended: Promise<number>;
}

interface Found {
  readonly index: number;
  readonly groups: readonly string[];
}

function find(text: string | RegExp, shown: string): Found | null {
  if (typeof text === 'string') return shown.includes(text) ? { index: shown.indexOf(text), groups: [text] } : null;
  const match = text.exec(shown);
  return match && { index: match.index, groups: match };
}

/** Runs a command at a terminal of 100 columns. It ends with the test. */
export function atTerminal(command: readonly string[], env: NodeJS.ProcessEnv): AtTerminal {
  const child = spawn('python3', ['-c', CODE, ...command], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let shown = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += stripVTControlCharacters(text);
  });
  return {
    type: (keys) => void child.stdin.write(keys),
    shows: async (text) => {
      let found: Found | null = null;
      try {
        await waitFor(() => (found = find(text, shown)) !== null, `the terminal to show ${String(text)}`);
      } catch (error) {
        throw new Error(`${(error as Error).message}; it shows:\n${shown.slice(-2_000)}`, { cause: error });
      }
      const { index, groups } = found!;
      shown = shown.slice(index + 1);
      return groups;
    },
    ended: once(child, 'close').then(([code]) => Number(code)),
  };
}
