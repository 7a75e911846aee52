/** Everything that has to run for the demo: a Temporal server, an API, a worker and a client. */
import { setMaxListeners } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { startDevServer } from '../../dev/temporal-server/index.js';
import { LlmJobsClient } from '../../src/client.js';
import { LocalApi, scaledClock } from '../../src/testing/index.js';
import { startWorker } from './worker-process.js';

export interface DemoEnvironment {
  readonly jobs: LlmJobsClient;
  readonly uiUrl: string;
  readonly namespace: string;
  /** The folder for results. */
  readonly folder: string;
  /** Rejects if the worker ends too early. */
  readonly broken: Promise<never>;
  /**
   * Runs work that calls Temporal. The calls are aborted when the user interrupts the demo or the environment is
   * stopped.
   */
  readonly abortable: <T>(work: () => Promise<T>) => Promise<T>;
  /** Ends everything. Can be called twice. */
  readonly stop: () => Promise<void>;
}

export interface EnvironmentOptions {
  /** Whether to use the real API instead of the simulated one. */
  readonly live: boolean;
  /** Hours of the simulated API's time per second. */
  readonly speed: number;
  readonly say: (line: string) => void;
  /** Aborted when the user interrupts the demo. */
  readonly signal: AbortSignal;
}

const DATA = new URL('../data/', import.meta.url);
export const REQUESTS = new URL('requests.jsonl', DATA);
export const TRAINING_FILE = new URL('training.jsonl', DATA);

const TASK_QUEUE = 'llm-jobs';

/** The simulated API's days take seconds. */
const FAST_POLLING = { LLM_JOBS_POLL_MIN: '400ms', LLM_JOBS_POLL_MAX: '400ms' };

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

export async function startEnvironment({ live, speed, say, signal }: EnvironmentOptions): Promise<DemoEnvironment> {
  const closers: (() => Promise<void>)[] = [];
  let stopping: Promise<void> | undefined;
  const stop = () => (stopping ??= closeAll(closers.toReversed()));
  try {
    const folder = resolve('.llm-jobs/demo', new Date().toISOString().slice(0, 19).replaceAll(':', '-'));
    await mkdir(folder, { recursive: true });

    // A server that the environment names is never used, since it may be a real one.
    const server = await startDevServer({ existing: false, log: say });
    closers.push(() => server.stop());
    signal.throwIfAborted();
    say(`Temporal UI: ${server.uiUrl}`);

    const api = live ? null : await startSimulatedApi(speed);
    if (api) closers.push(() => api.close());

    const worker = await startWorker({
      address: server.address,
      namespace: server.namespace,
      taskQueue: TASK_QUEUE,
      storage: [pathToFileURL(`${folder}/`).href, DATA.href],
      environment: api ? { OPENAI_API_KEY: api.apiKey, OPENAI_BASE_URL: api.url, ...FAST_POLLING } : {},
      signal,
    });
    closers.push(worker.stop);
    say(`Worker: process ${worker.pid}, storage ${folder}`);

    const connection = await Connection.connect(server.connectionOptions);
    const stopped = new AbortController();
    closers.push(async () => {
      // Without this, a call that is open when its connection closes would be retried on the closed connection.
      stopped.abort(new Error('the demo is over'));
      await setImmediate();
      await connection.close();
    });
    const abortSignal = AbortSignal.any([signal, stopped.signal]);
    // Every call adds a listener.
    setMaxListeners(0, abortSignal);
    const client = new Client({ connection, namespace: server.namespace });
    return {
      jobs: new LlmJobsClient(client, { taskQueue: TASK_QUEUE }),
      uiUrl: server.uiUrl ?? '',
      namespace: server.namespace,
      folder,
      broken: worker.broken,
      abortable: (work) => connection.withAbortSignal(abortSignal, work),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function startSimulatedApi(speed: number): Promise<LocalApi> {
  return LocalApi.start({
    clock: scaledClock(speed * 3_600),
    batches: {
      validatingMs: 90 * MINUTE_MS,
      inProgressMs: 18 * HOUR_MS,
      finalizingMs: 90 * MINUTE_MS,
      cancellingMs: 90 * MINUTE_MS,
      jitter: 0.05,
    },
    fineTuning: { validatingMs: 2 * HOUR_MS, queuedMs: 3 * HOUR_MS, runningMs: 14 * HOUR_MS, jitter: 0.05 },
  });
}

async function closeAll(closers: readonly (() => Promise<void>)[]): Promise<void> {
  for (const close of closers) await close().catch(() => undefined);
}
