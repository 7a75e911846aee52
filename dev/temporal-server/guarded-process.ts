import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

/** A child process that can't outlive this one. */
export interface GuardedProcess {
  pid: number;
  /** What it said last: its error if it printed one, else its last lines. */
  lastWords: () => string;
  /** Resolves when it has ended, whoever ended it. */
  ended: Promise<void>;
  hasEnded: () => boolean;
  /** Ends it and waits until it is gone. */
  stop: () => Promise<void>;
}

/**
 * Between this process and the server stands a small one, which ends the server when its own standard input closes. That happens however
 * this process ends: `exit` handlers would not run on SIGKILL, nor on SIGTERM or SIGINT unless we took those signals from the application.
 * Both are in a process group of their own, so Ctrl-C reaches the application alone, which then can shut down in its own order.
 */
const GUARD = `
const { spawn } = require('node:child_process');
const [command, ...args] = process.argv.slice(1);
const server = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], windowsHide: true });
server.on('spawn', () => process.send(server.pid, () => process.disconnect()));
server.on('error', (error) => { console.error(error.message); process.exit(127); });
server.on('exit', (code) => process.exit(code ?? 1));
const end = () => { server.kill('SIGTERM'); setTimeout(() => server.kill('SIGKILL'), 5000); };
process.stdin.on('end', end).on('error', end).resume();
process.on('SIGTERM', end).on('SIGINT', end).on('SIGHUP', end);
`;

/** A usage text may follow the error. */
const KEPT_LINES = 200;

export function startGuarded(command: string, args: string[], env: NodeJS.ProcessEnv): Promise<GuardedProcess> {
  const guard = spawn(process.execPath, ['-e', GUARD, command, ...args], {
    env,
    detached: true,
    windowsHide: true,
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
  });
  const { stdin, stdout, stderr } = guard as typeof guard & Record<'stdout' | 'stderr', Readable>;

  let output: string[] = [];
  for (const stream of [stdout, stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = [...output, ...text.split('\n').filter((line) => line.trim())].slice(-KEPT_LINES);
    });
  }
  stdin?.on('error', () => undefined);

  let over = false;
  const ended = new Promise<void>((resolve) => {
    guard.once('close', () => {
      over = true;
      resolve();
    });
  });
  const stop = async () => {
    stdin?.end();
    // While waiting, the guard does keep this process alive again.
    guard.ref();
    await ended;
  };

  return new Promise((resolve, reject) => {
    guard.once('error', reject);
    guard.once('message', (pid) => {
      // A server that nobody stops must not keep the application from ending: the guard ends it then.
      guard.unref();
      for (const stream of [stdin, stdout, stderr]) (stream as { unref?: () => void } | null)?.unref?.();
      resolve({ pid: Number(pid), lastWords: () => errorIn(output), ended, hasEnded: () => over, stop });
    });
    void ended.then(() => reject(new Error(errorIn(output) || 'it did not start')));
  });
}

function errorIn(lines: string[]): string {
  return lines.find((line) => /^error/i.test(line)) ?? lines.slice(-5).join('\n');
}
