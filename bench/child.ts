/** Starts a script of the benches in a process of its own, which prints one line of JSON when it is ready. */
import { fork, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface ReadyChild<T> {
  readonly process: ChildProcess;
  /** What its first line says. */
  readonly ready: T;
}

/** @param script relative to this folder */
export async function forkScript<T>(script: string, args: readonly string[]): Promise<ReadyChild<T>> {
  const child = fork(fileURLToPath(new URL(script, import.meta.url)), args, {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  for await (const line of createInterface({ input: child.stdout! })) {
    child.stdout!.resume();
    return { process: child, ready: JSON.parse(line) as T };
  }
  throw new Error(`${script} ended before it was ready`);
}
