/** The worker as a process of its own, which cannot outlive the demo. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { startGuardedProcess } from '../../dev/temporal-server/index.js';

export interface WorkerProcess {
  readonly pid: number;
  /** Rejects when the worker ends before it is told to. */
  readonly broken: Promise<never>;
  /** Drains it and waits until it is gone. */
  readonly stop: () => Promise<void>;
}

export interface WorkerProcessOptions {
  readonly address: string;
  readonly namespace: string;
  /** URIs of the roots that the worker may touch; results land in the first. */
  readonly storage: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** The ready-made worker, as `npm run worker` starts it. */
const SCRIPT = fileURLToPath(new URL('../../dist/worker.js', import.meta.url));
const START_LIMIT_MS = 30_000;

export async function startWorker(options: WorkerProcessOptions): Promise<WorkerProcess> {
  if (!existsSync(SCRIPT)) throw new Error('dist/worker.js is missing; run `npm run build` first');
  const worker = await startGuardedProcess(process.execPath, [SCRIPT], {
    ...withoutTemporal(process.env),
    TEMPORAL_ADDRESS: options.address,
    TEMPORAL_NAMESPACE: options.namespace,
    LLM_JOBS_TASK_QUEUE: 'llm-jobs',
    LLM_JOBS_STORAGE: options.storage.join(','),
    LLM_JOBS_LOG_LEVEL: 'WARN',
    LLM_JOBS_SHUTDOWN_GRACE: '2s',
    ...options.environment,
  });
  let isTold = false;
  const stop = () => {
    isTold = true;
    return worker.stop();
  };
  const broken = worker.ended.then(() => {
    if (isTold) return new Promise<never>(() => undefined);
    throw new Error(`The worker ended: ${worker.lastOutput() || 'without a word'}`);
  });
  broken.catch(() => undefined);

  const deadline = Date.now() + START_LIMIT_MS;
  while (!worker.lastOutput().includes('worker ready')) {
    if (worker.hasEnded()) return broken;
    if (options.signal.aborted || Date.now() > deadline) {
      await stop();
      options.signal.throwIfAborted();
      throw new Error(`The worker was not ready within ${START_LIMIT_MS / 1_000} s: ${worker.lastOutput()}`);
    }
    await sleep(50);
  }
  return { pid: worker.pid, broken, stop };
}

/** A profile, TLS or a key that are meant for another server must not reach the demo's. */
function withoutTemporal(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const others = Object.entries(env).filter(([name]) => !name.startsWith('TEMPORAL_'));
  return {
    ...Object.fromEntries(others),
    TEMPORAL_CONFIG_FILE: fileURLToPath(new URL('no-profile.toml', import.meta.url)),
  };
}
