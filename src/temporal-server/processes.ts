/** Child processes: a command that is run to its end, a server that ends with this process, and free ports for it. */
import { spawn } from 'node:child_process';
import { createServer, type AddressInfo, type Server } from 'node:net';
import type { Readable } from 'node:stream';

export interface CommandResult {
  /** Null if a signal ended the command. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * @throws if the command cannot be started (`ENOENT`), or runs longer than `timeoutMs`. An exit code other than 0 is a
 * result.
 */
export function runCommand(
  command: string,
  args: readonly string[],
  options: { readonly env: NodeJS.ProcessEnv; readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: options.env, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));

    const giveUp = (reason: Error) => {
      child.kill('SIGKILL');
      reject(reason);
    };
    const seconds = options.timeoutMs / 1_000;
    const timer = setTimeout(() => giveUp(new Error(`timed out after ${seconds} s`)), options.timeoutMs);
    const onAbort = () => {
      const reason: unknown = options.signal?.reason;
      giveUp(reason instanceof Error ? reason : new Error('aborted'));
    };
    options.signal?.addEventListener('abort', onAbort, { once: true });

    const settle = () => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
    };
    child.once('error', (error) => {
      settle();
      reject(error);
    });
    child.once('close', (code) => {
      settle();
      resolve({ code, stdout, stderr });
    });
  });
}

/** The most informative line of a failed command's output: the last that contains "error", else the last. */
export function errorLine({ code, stdout, stderr }: CommandResult): string {
  const lines = `${stdout}\n${stderr}`
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  return lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? `exit code ${code}`;
}

/** A child process that cannot outlive this one. */
export interface GuardedProcess {
  readonly pid: number;
  /** The first line that reports an error, else the last lines printed. */
  readonly lastOutput: () => string;
  /** Resolves when the process has ended, for any reason. */
  readonly ended: Promise<void>;
  readonly hasEnded: () => boolean;
  /** Ends the process and waits for its exit. */
  readonly stop: () => Promise<void>;
}

/**
 * A small guard process kills the server when its standard input closes, which happens however this process ends.
 * `exit` handlers would not run on SIGKILL, nor on SIGTERM and SIGINT unless we took those signals from the
 * application. Guard and server are in a separate process group, so Ctrl-C reaches only the application, which can then
 * shut down in its own order.
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

/** Enough for an error that is followed by a usage text. */
const KEPT_LINES = 200;

export function startGuardedProcess(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<GuardedProcess> {
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

  let isOver = false;
  const ended = new Promise<void>((resolve) => {
    guard.once('close', () => {
      isOver = true;
      resolve();
    });
  });
  const stop = async () => {
    stdin?.end();
    // This process must stay alive until the guard has ended.
    guard.ref();
    await ended;
  };

  return new Promise((resolve, reject) => {
    guard.once('error', reject);
    guard.once('message', (pid) => {
      // A server that is never stopped must not keep the application alive. The guard ends it when the application
      // exits.
      guard.unref();
      for (const stream of [stdin, stdout, stderr]) (stream as { unref?: () => void } | null)?.unref?.();
      resolve({ pid: Number(pid), lastOutput: () => errorOrLastLines(output), ended, hasEnded: () => isOver, stop });
    });
    void ended.then(() => reject(new Error(errorOrLastLines(output) || 'the process did not start')));
  });
}

function errorOrLastLines(lines: readonly string[]): string {
  return lines.find((line) => /^error/i.test(line)) ?? lines.slice(-5).join('\n');
}

/**
 * Ports that are free now. Another process may take one before the caller does, so the caller has to be ready to try
 * again.
 */
export async function freePorts(count: number, ip: string): Promise<number[]> {
  // Hold all of them until the last is found, so that they differ.
  const servers = await Promise.all(Array.from({ length: count }, () => listen(ip)));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map(close));
  return ports;
}

/**
 * @throws if the port is in use: the process that listens there could be mistaken for the server that is about to start
 */
export async function assertFree(port: number, ip: string): Promise<void> {
  const server = await listen(ip, port).catch((error: Error) => {
    throw new Error(`port ${port} on ${ip} is not free: ${error.message}`);
  });
  await close(server);
}

export function isFree(port: number, ip: string): Promise<boolean> {
  return assertFree(port, ip).then(
    () => true,
    () => false,
  );
}

function listen(ip: string, port = 0): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(port, ip, () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
