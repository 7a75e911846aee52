/** The ready-made worker as a process, as `npm run worker` starts it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LocalApi } from '../../src/testing/index.js';
import { startGuardedProcess } from '../../src/temporal-server/index.js';
import { waitFor } from './wait-for.js';

const SCRIPT = fileURLToPath(new URL('../../dist/worker.js', import.meta.url));
const NODE_FLAGS = ['--max-semi-space-size=4'];
const READY = 'worker ready';

export interface WorkerSettings {
  readonly address: string;
  readonly namespace: string;
  readonly taskQueue: string;
  /** URIs of the storage roots; results are written to the first. */
  readonly roots: readonly string[];
  /** Not given: the worker finds the key of the real API in its environment. */
  readonly api?: Pick<LocalApi, 'apiKey' | 'url'>;
}

/** The variables by which the ready-made worker takes its settings. */
export function workerVariables({ address, namespace, taskQueue, roots, api }: WorkerSettings): Record<string, string> {
  return {
    LLM_JOBS_CONFIG: 'none',
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: namespace,
    LLM_JOBS_TASK_QUEUE: taskQueue,
    LLM_JOBS_STORAGE: roots.join(','),
    ...(api && { OPENAI_API_KEY: api.apiKey, OPENAI_BASE_URL: api.url }),
  };
}

type Settings = 'TEMPORAL' | 'OPENAI' | 'LLM_JOBS';

/**
 * The environment without the machine's settings for Temporal, the API and the worker: a profile or a key for another
 * server must not reach the one of the stage.
 */
export function cleanEnvironment(removed: readonly Settings[] = ['TEMPORAL', 'OPENAI', 'LLM_JOBS']): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(
    ([name]) => !removed.some((prefix) => name.startsWith(`${prefix}_`)),
  );
  return { ...Object.fromEntries(others), TEMPORAL_CONFIG_FILE: join(tmpdir(), 'llm-jobs-no-profile.toml') };
}

export interface WorkerProcess {
  readonly pid: number;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves once the worker polls. Rejects when it ends before that. */
  readonly ready: () => Promise<void>;
  /** Resolves with the exit code, or with the signal that ended it. */
  readonly ended: Promise<number | string>;
  readonly stop: (signal: 'SIGTERM' | 'SIGKILL') => Promise<number | string>;
}

/** Spawns a worker that has the given variables and none of the machine's own settings. */
export function spawnWorker(variables: Readonly<Record<string, string>>): WorkerProcess {
  const child = spawn(process.execPath, [...NODE_FLAGS, SCRIPT], {
    env: { ...cleanEnvironment(), ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
  return {
    pid: child.pid ?? 0,
    stdout: () => stdout,
    stderr: () => stderr,
    ready: () =>
      waitFor(() => {
        if (child.exitCode !== null || child.signalCode !== null) throw new Error(`The worker ended: ${stderr}`);
        return stdout.includes(READY);
      }, 'the worker to be ready'),
    ended,
    stop: (signal) => {
      child.kill(signal);
      return ended;
    },
  };
}

export interface GuardedWorker {
  readonly pid: number;
  /** Rejects when the worker ends without having been stopped. */
  readonly broken: Promise<never>;
  /** Drains the worker and waits until its process has ended. */
  readonly stop: () => Promise<void>;
  /** Ends the process as a crash would, in the middle of whatever it does. */
  readonly kill: () => Promise<void>;
}

/**
 * Starts a worker that cannot outlive this process and that a Ctrl-C does not reach. It keeps the machine's settings
 * for the API.
 *
 * @param signal ends the worker while it starts
 */
export async function startGuardedWorker(
  variables: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<GuardedWorker> {
  if (!existsSync(SCRIPT)) throw new Error('dist/worker.js is missing; run `npm run build` first');
  const environment = { ...cleanEnvironment(['TEMPORAL']), ...variables };
  const worker = await startGuardedProcess(process.execPath, [...NODE_FLAGS, SCRIPT], environment);
  let isStopping = false;
  const stop = () => {
    isStopping = true;
    return worker.stop();
  };
  const kill = () => {
    isStopping = true;
    process.kill(worker.pid, 'SIGKILL');
    return worker.ended;
  };
  const broken = worker.ended.then(() => {
    if (isStopping) return new Promise<never>(() => undefined);
    throw new Error(`The worker ended: ${worker.lastOutput() || 'it printed nothing'}`);
  });
  broken.catch(() => undefined);

  try {
    await waitFor(() => {
      signal.throwIfAborted();
      return worker.hasEnded() || worker.lastOutput().includes(READY);
    }, 'the worker to be ready');
    if (worker.hasEnded()) await broken;
  } catch (error) {
    await stop();
    throw error;
  }
  return { pid: worker.pid, broken, stop, kill };
}
