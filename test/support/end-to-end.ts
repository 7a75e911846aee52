/**
 * The whole thing as it is deployed: a real Temporal server, the ready-made worker as a process of its own on the built bundle, and
 * the local API as the provider, with an hour of its time in each second.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, inject } from 'vitest';
import { LlmJobsClient } from '../../src/client.js';
import { LocalApi, scaledClock, type LocalApiOptions } from '../../src/testing/index.js';
import { devServer, type TestTemporal } from './temporal.js';
import { jsonl } from './samples.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Both lifecycles last about three seconds. */
const API: LocalApiOptions = {
  batches: {
    validatingMs: 20 * MINUTE,
    inProgressMs: 2 * HOUR,
    finalizingMs: 20 * MINUTE,
    cancellingMs: 20 * MINUTE,
    jitter: 0,
  },
  fineTuning: { validatingMs: 20 * MINUTE, queuedMs: 20 * MINUTE, runningMs: 2 * HOUR, jitter: 0 },
};

/** For tests that look at something else. */
export const AT_ONCE = { validatingMs: 0, inProgressMs: 0, finalizingMs: 0 };

export const endpoint = '/v1/chat/completions';
export const ENDS = ['completed', 'failed', 'expired', 'cancelled', 'succeeded'];

export interface EndToEnd {
  readonly temporal: TestTemporal;
  readonly api: LocalApi;
  readonly jobs: LlmJobsClient;
  /** The storage folder of the workers. */
  readonly folder: string;
  readonly write: (name: string, values: readonly unknown[]) => Promise<string>;
  /** Starts a worker and waits until it says that it is ready. */
  readonly startWorker: (environment?: Record<string, string>) => Promise<WorkerProcess>;
  /** Operations of the local API that were called, in order. */
  readonly calls: (operation: string) => string[];
}

export function endToEnd(options: LocalApiOptions = {}): EndToEnd {
  const temporal = devServer();
  let api: LocalApi;
  let folder: string;
  const workers: WorkerProcess[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'llm-jobs-end-to-end-'));
    api = await LocalApi.start({ clock: scaledClock(3_600), ...API, ...options });
  });
  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.stop('SIGKILL')));
    await api.close();
    await rm(folder, { recursive: true, force: true });
  });

  return {
    temporal,
    get api() {
      return api;
    },
    get jobs() {
      return new LlmJobsClient(temporal.client, { taskQueue: temporal.taskQueue });
    },
    get folder() {
      return folder;
    },
    write: async (name, values) => {
      const path = join(folder, name);
      await writeFile(path, jsonl(values));
      return pathToFileURL(path).href;
    },
    startWorker: async (environment = {}) => {
      const worker = spawnWorker({
        TEMPORAL_ADDRESS: temporal.address,
        TEMPORAL_NAMESPACE: temporal.namespace,
        LLM_JOBS_TASK_QUEUE: temporal.taskQueue,
        LLM_JOBS_STORAGE: pathToFileURL(`${folder}/`).href,
        LLM_JOBS_POLL_MIN: '100ms',
        LLM_JOBS_POLL_MAX: '200ms',
        OPENAI_API_KEY: api.apiKey,
        OPENAI_BASE_URL: api.url,
        ...environment,
      });
      workers.push(worker);
      await worker.ready();
      return worker;
    },
    calls: (operation) =>
      api.requests.filter((request) => request.operation === operation).map((request) => request.path),
  };
}

export interface WorkerProcess {
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly ready: () => Promise<void>;
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  readonly stop: (signal: 'SIGTERM' | 'SIGKILL') => Promise<number | string>;
}

const SCRIPT = fileURLToPath(new URL('../../dist/worker.js', import.meta.url));

/** `npm run worker`, with nothing of the machine's own settings of Temporal or the API. */
export function spawnWorker(environment: Record<string, string>): WorkerProcess {
  const child: ChildProcess = spawn(process.execPath, [SCRIPT], {
    env: { ...cleanEnvironment(), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
  return {
    stdout: () => stdout,
    stderr: () => stderr,
    ready: () =>
      until(() => {
        if (child.exitCode !== null) throw new Error(`The worker ended: ${stderr}`);
        return stdout.includes('worker ready');
      }),
    ended,
    stop: (signal) => {
      child.kill(signal);
      return ended;
    },
  };
}

/** Runs the `temporal` CLI; answers with what it printed as JSON. */
export async function temporalCli(temporal: TestTemporal, ...args: string[]): Promise<unknown> {
  const server = inject('devServer');
  if ('problem' in server) throw new Error(server.problem);
  const target = ['--address', temporal.address, '--namespace', temporal.namespace, '--output', 'json'];
  const { stdout } = await promisify(execFile)(server.value.cliPath, [...args, ...target], {
    env: cleanEnvironment(),
  });
  return stdout.trim() === '' ? null : JSON.parse(stdout);
}

function cleanEnvironment(): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(([name]) => !/^(TEMPORAL|OPENAI|LLM_JOBS)_/.test(name));
  const noProfile = join(tmpdir(), 'llm-jobs-no-profile.toml');
  return { ...Object.fromEntries(others), TEMPORAL_CONFIG_FILE: noProfile };
}

/** Waits until it is so; fails after 20 s. */
export async function until(isSo: () => boolean | Promise<boolean>, what = 'it'): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`Waited 20 s for ${what} in vain`);
    await sleep(50);
  }
}
