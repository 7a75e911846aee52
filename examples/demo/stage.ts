/** Everything that has to run for the demo: started in order, and whatever happens, stopped in the opposite one. */
import { setMaxListeners } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { LlmJobsClient } from '../../src/client.js';
import { startDevServer } from '../../dev/temporal-server/index.js';
import { startSimulatedApi } from './simulated-api.js';
import { startWorker } from './worker-process.js';

export interface Stage {
  readonly jobs: LlmJobsClient;
  readonly uiUrl: string;
  readonly namespace: string;
  /** The folder that results land in. */
  readonly folder: string;
  /** Rejects when something that must run ends before its time. */
  readonly broken: Promise<never>;
  /** Does work that calls Temporal, and gives the calls up when the user has had enough or the stage is cleared. */
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
  /** Aborted when the user has had enough. */
  readonly signal: AbortSignal;
}

const DATA = new URL('../data/', import.meta.url);
export const REQUESTS = new URL('requests.jsonl', DATA);
export const TRAINING_FILE = new URL('training.jsonl', DATA);

export async function setStage({ live, speed, say, signal }: StageOptions): Promise<Stage> {
  const closers: (() => Promise<void>)[] = [];
  let stopping: Promise<void> | undefined;
  const stop = () => (stopping ??= inTurn(closers.toReversed()));
  try {
    const folder = resolve('.llm-jobs/demo', new Date().toISOString().slice(0, 19).replaceAll(':', '-'));
    await mkdir(folder, { recursive: true });

    // Never a server that the environment names: the demo is no guest that anybody invited.
    const server = await startDevServer({ existing: false, log: say });
    closers.push(() => server.stop());
    signal.throwIfAborted();
    say(`Temporal UI: ${server.uiUrl}`);

    const api = live ? null : await startSimulatedApi(speed);
    if (api) closers.push(() => api.close());

    const worker = await startWorker({
      address: server.address,
      namespace: server.namespace,
      storage: [pathToFileURL(`${folder}/`).href, DATA.href],
      environment: api ? { OPENAI_API_KEY: api.apiKey, OPENAI_BASE_URL: api.url, ...FAST_POLLING } : {},
      signal,
    });
    closers.push(worker.stop);
    say(`Worker: process ${worker.pid}, storage ${folder}`);

    const connection = await Connection.connect(server.connectionOptions);
    const unwanted = new AbortController();
    closers.push(async () => {
      // A call that is open when its connection closes would be retried on the closed one.
      unwanted.abort(new Error('the demo is over'));
      await setImmediate();
      await connection.close();
    });
    const givenUp = AbortSignal.any([signal, unwanted.signal]);
    // Each call listens to it.
    setMaxListeners(0, givenUp);
    const client = new Client({ connection, namespace: server.namespace });
    const jobs = new LlmJobsClient(client, { taskQueue: 'llm-jobs' });
    return {
      jobs,
      uiUrl: server.uiUrl ?? '',
      namespace: server.namespace,
      folder,
      broken: worker.broken,
      whileWanted: (work) => connection.withAbortSignal(givenUp, work),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The simulated API's days take seconds. */
const FAST_POLLING = { LLM_JOBS_POLL_MIN: '400ms', LLM_JOBS_POLL_MAX: '400ms' };

async function inTurn(actions: readonly (() => Promise<void>)[]): Promise<void> {
  for (const action of actions) await action().catch(() => undefined);
}
