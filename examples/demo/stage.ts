/** Everything that has to run for the demo: started one by one, and stopped in the opposite order whatever happens. */
import { setMaxListeners } from 'node:events';
import { resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { LlmJobsClient } from '../../src/client.js';
import { folderAt } from '../../dev/stage/folder.js';
import { startGuardedWorker, workerVariables } from '../../dev/stage/worker-process.js';
import { startDevServer } from '../../dev/temporal-server/index.js';
import { startSimulatedApi } from './simulated-api.js';

export interface Stage {
  readonly jobs: LlmJobsClient;
  readonly uiUrl: string;
  readonly namespace: string;
  /** Path of the folder that results are written to. */
  readonly folder: string;
  /** Rejects when the worker ends too early. */
  readonly broken: Promise<never>;
  /** Does work that calls Temporal, and gives up its calls when the user interrupts the demo or the stage stops. */
  readonly whileWanted: <T>(work: () => Promise<T>) => Promise<T>;
  /** Ends everything; safe to call twice. */
  readonly stop: () => Promise<void>;
}

export interface StageOptions {
  /** The real API instead of the simulated one. */
  readonly live: boolean;
  /** Hours of the simulated API's time in each second. */
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

export async function setStage({ live, speed, say, signal }: StageOptions): Promise<Stage> {
  const closers: (() => Promise<void>)[] = [];
  let stopping: Promise<void> | undefined;
  const stop = () => (stopping ??= oneByOne(closers.toReversed()));
  try {
    const folder = await folderAt(
      resolve('.llm-jobs/demo', new Date().toISOString().slice(0, 19).replaceAll(':', '-')),
    );

    // The demo never uses a server that the environment names: that may be somebody's real one.
    const server = await startDevServer({ existing: false, log: say });
    closers.push(() => server.stop());
    signal.throwIfAborted();
    say(`Temporal UI: ${server.uiUrl}`);

    const api = live ? undefined : await startSimulatedApi(speed);
    if (api) closers.push(() => api.close());

    const { address, namespace } = server;
    const roots = [folder.uri, DATA.href];
    const worker = await startGuardedWorker(
      {
        ...workerVariables({ address, namespace, taskQueue: TASK_QUEUE, roots, ...(api && { api }) }),
        LLM_JOBS_LOG_LEVEL: 'WARN',
        LLM_JOBS_SHUTDOWN_GRACE: '2s',
        ...(api && FAST_POLLING),
      },
      signal,
    );
    closers.push(worker.stop);
    say(`Worker: process ${worker.pid}, storage ${folder.path}`);

    const connection = await Connection.connect(server.connectionOptions);
    const { whileWanted, close } = interruptible(connection, signal);
    closers.push(close);
    const client = new Client({ connection, namespace });
    return {
      jobs: new LlmJobsClient(client, { taskQueue: TASK_QUEUE }),
      uiUrl: server.uiUrl ?? '',
      namespace,
      folder: folder.path,
      broken: worker.broken,
      whileWanted,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Calls on a connection that the signal, or closing the connection, gives up. */
function interruptible(
  connection: Connection,
  signal: AbortSignal,
): Pick<Stage, 'whileWanted'> & { close: () => Promise<void> } {
  const closing = new AbortController();
  const givenUp = AbortSignal.any([signal, closing.signal]);
  // Every call listens to it.
  setMaxListeners(0, givenUp);
  return {
    whileWanted: (work) => connection.withAbortSignal(givenUp, work),
    close: async () => {
      // A call that is open when its connection closes would be retried on the closed one.
      closing.abort(new Error('the demo is over'));
      await setImmediate();
      await connection.close();
    },
  };
}

async function oneByOne(actions: readonly (() => Promise<void>)[]): Promise<void> {
  for (const action of actions) await action().catch(() => undefined);
}
