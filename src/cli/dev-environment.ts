/** What `llm-jobs dev` runs: a Temporal server, the simulated API and a worker. All of them end with this process. */
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { NO_FILE } from '../config/load-file.js';
import { SEARCH_ATTRIBUTES } from '../contract/search-attributes.js';
import { DEFAULT_TASK_QUEUE } from '../contract/task-queue.js';
import { storageRoots } from '../storage/roots.js';
import {
  isFree,
  startDevServer,
  startGuardedProcess,
  TemporalServerNotFound,
  type GuardedProcess,
} from '../temporal-server/index.js';
import { CommandError, EXIT_CODES, type Io } from './io.js';
import { startSimulatedApi } from './simulated-api.js';

export interface DevOptions {
  /** How much faster the simulated API is than a provider: hours of its work per second. */
  readonly speed: number;
  readonly port?: number;
  readonly uiPort?: number;
  /** SQLite file in which the server keeps its runs. */
  readonly db?: string;
}

export interface DevEnvironment {
  readonly uiUrl: string;
  readonly apiUrl: string;
  /** URI of the first storage root. */
  readonly storage: string;
  /** Variables by which other commands find all of it. */
  readonly variables: Readonly<Record<string, string>>;
  /** Resolves with the reason when the worker has ended by itself. */
  readonly broken: Promise<string>;
  readonly stop: () => Promise<void>;
}

/** Temporal's own, so that other commands find the server without being told. */
const PORT = 7_233;
const UI_PORT = 8_233;
const IP = '127.0.0.1';
/** So that lists tell what runs that have ended came to. */
const SEARCH_ATTRIBUTE_ARGS = Object.values(SEARCH_ATTRIBUTES).map(({ name }) => `--search-attribute=${name}=Keyword`);

export async function startDevEnvironment(io: Io, options: DevOptions): Promise<DevEnvironment> {
  const closers: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const close of closers.splice(0).toReversed()) await close();
  };
  try {
    const api = await startSimulatedApi(options.speed);
    closers.push(() => api.close());
    const server = await temporalServer(io, options);
    closers.push(server.stop);
    const roots = storageRoots(process.env.LLM_JOBS_STORAGE, process.cwd());
    const variables = {
      // A file in this folder may name accounts that cost money.
      LLM_JOBS_CONFIG: NO_FILE,
      TEMPORAL_ADDRESS: server.address,
      TEMPORAL_NAMESPACE: server.namespace,
      LLM_JOBS_TASK_QUEUE: process.env.LLM_JOBS_TASK_QUEUE ?? DEFAULT_TASK_QUEUE,
      LLM_JOBS_STORAGE: roots.join(','),
      OPENAI_BASE_URL: api.url,
      OPENAI_API_KEY: api.apiKey,
    };
    const worker = await startWorker(variables);
    closers.push(worker.stop);
    const broken = worker.ended.then(() => worker.lastOutput());
    return { uiUrl: server.uiUrl ?? '', apiUrl: api.url, storage: roots[0] ?? '', variables, broken, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function temporalServer(io: Io, { port, uiPort, db }: DevOptions) {
  const ports = { port: port ?? (await ifFree(PORT)), uiPort: uiPort ?? (await ifFree(UI_PORT)) };
  try {
    // A server that the environment names is never used, since it may be a real one.
    return await startDevServer({
      existing: false,
      log: io.err,
      ip: IP,
      extraArgs: SEARCH_ATTRIBUTE_ARGS,
      ...ports,
      ...(db && { dbFilename: db }),
    });
  } catch (error) {
    if (!(error instanceof TemporalServerNotFound)) throw error;
    const next = 'The temporal command contains the server: https://docs.temporal.io/cli';
    throw new CommandError(EXIT_CODES.unreachable, error.message, next, error);
  }
}

/** Undefined lets the server take any free one. */
const ifFree = async (port: number): Promise<number | undefined> => ((await isFree(port, IP)) ? port : undefined);

const SCRIPT = fileURLToPath(new URL('../worker.js', import.meta.url));
const READY = 'worker ready';
const READY_CHECK_MS = 50;

/** The API's days take seconds, and so must the worker's look at them. */
const FAST = { LLM_JOBS_POLL_MIN: '400ms', LLM_JOBS_POLL_MAX: '400ms', LLM_JOBS_SHUTDOWN_GRACE: '2s' };

async function startWorker(variables: Readonly<Record<string, string>>): Promise<GuardedProcess> {
  if (!existsSync(SCRIPT)) throw new Error('worker.js is missing; run `npm run build` first');
  const env = { ...withoutSettings(process.env), LLM_JOBS_LOG_LEVEL: 'WARN', ...FAST, ...variables };
  const worker = await startGuardedProcess(process.execPath, ['--max-semi-space-size=4', SCRIPT], env);
  while (!worker.lastOutput().includes(READY)) {
    if (worker.hasEnded()) throw new Error(`the worker ended: ${worker.lastOutput()}`);
    await sleep(READY_CHECK_MS);
  }
  return worker;
}

/** A key or a profile of the machine must not reach a worker that is only to try things out. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const others = Object.entries(env).filter(([name]) => !/^(TEMPORAL|OPENAI|LLM_JOBS)_/.test(name));
  return { ...Object.fromEntries(others), TEMPORAL_CONFIG_FILE: join(tmpdir(), 'llm-jobs-no-profile.toml') };
}
