/** Everything that has to run for the demo: a Temporal server, an API, a worker and a client. */
import { setMaxListeners } from 'node:events';
import { resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { folderAt } from '../../dev/stage/folder.js';
import { workerVariables } from '../../dev/stage/worker-process.js';
import { startSimulatedApi } from '../../src/cli/simulated-api.js';
import { LlmJobsClient, SEARCH_ATTRIBUTES, Storage } from '../../src/client.js';
import { startDevServer } from '../../src/temporal-server/index.js';
import { startDemoWorker, type DemoWorker } from './worker.js';

export interface DemoEnvironment {
  readonly jobs: LlmJobsClient;
  readonly uiUrl: string;
  readonly namespace: string;
  /** The folder for results, and the storage that it is. */
  readonly folder: string;
  readonly storage: Storage;
  readonly worker: DemoWorker;
  /** What the API has created so far, by its own count. With the real API nothing is counted. */
  readonly created: () => Promise<CreatedJobs>;
  /**
   * Runs work that calls Temporal. The calls are aborted when the user interrupts the demo or the environment is
   * stopped.
   */
  readonly abortable: <T>(work: () => Promise<T>) => Promise<T>;
  /** Ends everything. Can be called twice. */
  readonly stop: () => Promise<void>;
}

export interface CreatedJobs {
  readonly batches: number;
  readonly fineTuningJobs: number;
  /** Whether a batch is being cancelled, or has ended. */
  readonly isOneEnding: boolean;
}

export interface EnvironmentOptions {
  /** Whether to use the real API instead of the simulated one. */
  readonly live: boolean;
  /** Hours of work that the simulated API does in a second. */
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

export async function startEnvironment({ live, speed, say, signal }: EnvironmentOptions): Promise<DemoEnvironment> {
  const closers: (() => Promise<void>)[] = [];
  let stopping: Promise<void> | undefined;
  const stop = () => (stopping ??= closeAll(closers.toReversed()));
  try {
    const folder = await folderAt(
      resolve('.llm-jobs/demo', new Date().toISOString().slice(0, 19).replaceAll(':', '-')),
    );

    // A server that the environment names is never used, since it may be a real one.
    const searchAttributes = Object.fromEntries(
      Object.values(SEARCH_ATTRIBUTES).map(({ name }) => [name, 'Keyword' as const]),
    );
    const server = await startDevServer({ existing: false, log: say, searchAttributes });
    closers.push(() => server.stop());
    signal.throwIfAborted();
    say(`Temporal UI: ${server.uiUrl}`);

    const api = live ? undefined : await startSimulatedApi(speed);
    if (api) closers.push(() => api.close());

    const { address, namespace } = server;
    const roots = [folder.uri, DATA.href];
    const worker = await startDemoWorker(
      {
        ...workerVariables({ address, namespace, taskQueue: TASK_QUEUE, roots, ...(api && { api }) }),
        LLM_JOBS_LOG_LEVEL: 'WARN',
        LLM_JOBS_SHUTDOWN_GRACE: '2s',
        ...(api && FAST_POLLING),
      },
      signal,
    );
    closers.push(worker.stop);
    say(`Worker: process ${worker.pid()}, storage ${folder.path}`);

    const connection = await Connection.connect(server.connectionOptions);
    const { abortable, close } = interruptible(connection, signal);
    closers.push(close);
    const client = new Client({ connection, namespace });
    return {
      jobs: new LlmJobsClient(client, { taskQueue: TASK_QUEUE }),
      uiUrl: server.uiUrl ?? '',
      namespace,
      folder: folder.path,
      storage: new Storage({ roots: [folder.uri] }),
      worker,
      created: async () => {
        const batches = (await api?.batches()) ?? [];
        return {
          batches: batches.length,
          fineTuningJobs: (await api?.fineTuningJobs())?.length ?? 0,
          isOneEnding: batches.some(({ status }) => status !== 'validating' && status !== 'in_progress'),
        };
      },
      abortable,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Calls on a connection are aborted by the signal, and when the demo is over. The connection is left to end with the
 * process: a call that waits for its retry would throw on a closed one, where nobody catches that.
 */
function interruptible(
  connection: Connection,
  signal: AbortSignal,
): Pick<DemoEnvironment, 'abortable'> & { close: () => Promise<void> } {
  const stopped = new AbortController();
  const abortSignal = AbortSignal.any([signal, stopped.signal]);
  // Every call adds a listener.
  setMaxListeners(0, abortSignal);
  return {
    abortable: (work) => connection.withAbortSignal(abortSignal, work),
    close: async () => {
      stopped.abort(new Error('the demo is over'));
      await setImmediate();
    },
  };
}

async function closeAll(closers: readonly (() => Promise<void>)[]): Promise<void> {
  for (const close of closers) await close().catch(() => undefined);
}
