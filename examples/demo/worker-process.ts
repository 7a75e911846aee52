/** The ready-made worker in a separate process, which cannot outlive the demo. */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startGuardedProcess } from '../../dev/temporal-server/index.js';

export interface WorkerProcess {
  readonly pid: number;
  /** Rejects if the worker ends before it is stopped. */
  readonly broken: Promise<never>;
  /** Shuts the worker down and waits for its exit. */
  readonly stop: () => Promise<void>;
}

export interface WorkerProcessOptions {
  readonly address: string;
  readonly namespace: string;
  readonly taskQueue: string;
  /** URIs of the roots that the worker may use. Results are stored in the first. */
  readonly storage: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** The script that `npm run worker` starts. */
const SCRIPT = fileURLToPath(new URL('../../dist/worker.js', import.meta.url));
const START_LIMIT_MS = 30_000;
const READY_CHECK_MS = 50;

export async function startWorker(options: WorkerProcessOptions): Promise<WorkerProcess> {
  if (!existsSync(SCRIPT)) throw new Error('dist/worker.js is missing; run `npm run build` first');
  const worker = await startGuardedProcess(process.execPath, [SCRIPT], {
    ...withoutTemporalSettings(process.env),
    TEMPORAL_ADDRESS: options.address,
    TEMPORAL_NAMESPACE: options.namespace,
    LLM_JOBS_TASK_QUEUE: options.taskQueue,
    LLM_JOBS_STORAGE: options.storage.join(','),
    LLM_JOBS_LOG_LEVEL: 'WARN',
    LLM_JOBS_SHUTDOWN_GRACE: '2s',
    ...options.environment,
  });
  let isStopping = false;
  const stop = () => {
    isStopping = true;
    return worker.stop();
  };
  const broken = worker.ended.then(() => {
    if (isStopping) return new Promise<never>(() => undefined);
    throw new Error(`the worker ended: ${worker.lastOutput() || 'no output'}`);
  });
  broken.catch(() => undefined);

  const deadline = Date.now() + START_LIMIT_MS;
  while (!worker.lastOutput().includes('worker ready')) {
    if (worker.hasEnded()) return broken;
    if (options.signal.aborted || Date.now() > deadline) {
      await stop();
      options.signal.throwIfAborted();
      throw new Error(`the worker was not ready within ${START_LIMIT_MS / 1_000} s: ${worker.lastOutput()}`);
    }
    await sleep(READY_CHECK_MS);
  }
  return { pid: worker.pid, broken, stop };
}

/** The user's profile, TLS and API key are for another server and must not be sent to the demo's. */
function withoutTemporalSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const others = Object.entries(env).filter(([name]) => !name.startsWith('TEMPORAL_'));
  return {
    ...Object.fromEntries(others),
    // This file does not exist, so that no profile is read.
    TEMPORAL_CONFIG_FILE: fileURLToPath(new URL('no-profile.toml', import.meta.url)),
  };
}
