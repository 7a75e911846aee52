/**
 * The stage of a test file: a Temporal server, the local API, a storage folder and a worker, from before its first test
 * until after its last. Each function is called at the top of a file or of a describe block; what it returns works
 * inside tests and hooks.
 */
import { ApplicationFailure } from '@temporalio/client';
import type OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { Activities } from '../../src/activities/index.js';
import { LlmJobsClient } from '../../src/client.js';
import { Storage } from '../../src/storage/storage.js';
import { clockFrom, scaledClock, type LocalApi, type LocalApiOptions } from '../../src/testing/index.js';
import {
  clientOf,
  stageActivities,
  startBackend,
  type Backend,
  type StageActivitiesOptions,
} from '../../dev/stage/backend.js';
import { BATCH_TIMING, HOUR_PER_SECOND, SHORT_JOBS } from '../../dev/stage/timing.js';
import { spawnWorker, workerVariables, type WorkerProcess } from '../../dev/stage/worker-process.js';
import { startWorker } from '../../dev/stage/worker.js';
import { devServer, timeSkipping, type TestTemporal } from './temporal.js';

/** What all stages have. */
class Stage {
  readonly temporal: TestTemporal;
  #backend: Backend | undefined;
  #firstRequest = 0;

  /** @param start starts what belongs to the stage and returns the function that stops it */
  constructor(
    temporal: TestTemporal,
    api: () => LocalApiOptions,
    start: (backend: Backend) => Promise<() => Promise<unknown>> = async () => async () => undefined,
  ) {
    this.temporal = temporal;
    let stop: (() => Promise<unknown>) | undefined;
    beforeAll(async () => {
      this.#backend = await startBackend(api());
      stop = await start(this.#backend);
    });
    beforeEach(() => {
      this.#firstRequest = this.api.requests.length;
    });
    afterAll(async () => {
      await stop?.();
      await this.#backend?.stop();
    });
  }

  get backend(): Backend {
    if (this.#backend === undefined) throw new Error('The stage exists inside tests and hooks only');
    return this.#backend;
  }

  get api(): LocalApi {
    return this.backend.api;
  }

  /** The official client of the local API. */
  get openai(): OpenAI {
    return clientOf(this.api);
  }

  get jobs(): LlmJobsClient {
    return new LlmJobsClient(this.temporal.client, { taskQueue: this.temporal.taskQueue });
  }

  /** Path of the storage folder. */
  get folder(): string {
    return this.backend.folder.path;
  }

  /** URI of the storage folder, which is the root of the workers. */
  get root(): string {
    return this.backend.folder.uri;
  }

  get storage(): Storage {
    return new Storage({ roots: [this.root] });
  }

  /** Writes a file to the storage folder and returns its URI; a list is written as JSONL. */
  write(content: readonly unknown[] | string | Uint8Array, name?: string): Promise<string> {
    return this.backend.folder.write(content, name);
  }

  /** Operations of the local API that were called since the test began, in their order. */
  calls(operation?: string): string[] {
    return this.api.requests
      .slice(this.#firstRequest)
      .map((request) => String(request.operation))
      .filter((name) => operation === undefined || name === operation);
  }
}

export interface StageOptions extends Omit<StageActivitiesOptions, 'roots'> {
  readonly api?: LocalApiOptions;
  /** Called when the stage starts. @default the storage folder alone */
  readonly roots?: () => Promise<readonly string[]>;
  /** Runs that the worker keeps in memory. @default what the SDK finds right for the machine */
  readonly maxCachedWorkflows?: number;
}

/** A stage whose worker runs in the process of the tests. */
export class WorkerStage extends Stage {
  #failures: string[] = [];

  constructor(
    temporal: TestTemporal,
    api: () => LocalApiOptions,
    { roots, maxCachedWorkflows, ...options }: Omit<StageOptions, 'api'>,
  ) {
    super(temporal, api, async (backend) => {
      const activities = stageActivities(backend, { ...options, ...(roots && { roots: await roots() }) });
      return startWorker(
        temporal,
        reportingFailures(activities, (type) => this.#failures.push(type)),
        maxCachedWorkflows === undefined ? {} : { maxCachedWorkflows },
      );
    });
    beforeEach(() => {
      this.#failures = [];
    });
  }

  /** Types of the failures that attempts of activities ended with since the test began, except polls without news. */
  failures(): string[] {
    return this.#failures;
  }
}

/**
 * A stage whose clock is the time-skipping server's. Time is one for all tests of a file: they run one after the other.
 */
export class TimeSkippingStage extends WorkerStage {
  constructor({ api, ...options }: StageOptions) {
    const temporal = timeSkipping();
    const clock = clockFrom(() => temporal.env.currentTimeMs());
    // Each poll costs processor time, a job that lasts a day some hundred of them.
    super(temporal, () => ({ clock, batches: BATCH_TIMING, ...api }), { poll: { min: '5m', max: '15m' }, ...options });
  }

  /** Lets time pass, on the server and so on the local API. */
  pass(duration: string): Promise<void> {
    return this.temporal.env.sleep(duration as '1h');
  }
}

/** Lifecycles of hours and days: the time-skipping server, and the local API on its clock. */
export function timeSkippingStage(options: StageOptions = {}): TimeSkippingStage {
  return new TimeSkippingStage(options);
}

/** Batches of half a second, in real time. */
const QUICK_BATCHES = { validatingMs: 50, inProgressMs: 300, finalizingMs: 50, cancellingMs: 100, jitter: 0 };

/**
 * What only the real dev server does: child workflows side by side, heartbeat details that are kept, native
 * cancellation.
 */
export function devServerStage({ api, ...options }: StageOptions = {}, temporal = devServer()): WorkerStage {
  const poll = { min: '150ms', max: '300ms' } as const;
  return new WorkerStage(temporal, () => ({ batches: QUICK_BATCHES, ...api }), { poll, ...options });
}

/** A stage whose workers are processes that run the ready-made worker. */
export class WorkerProcessStage extends Stage {
  readonly #workers: WorkerProcess[];

  constructor(api: LocalApiOptions) {
    const workers: WorkerProcess[] = [];
    super(
      devServer(),
      () => ({ clock: scaledClock(HOUR_PER_SECOND), ...SHORT_JOBS, ...api }),
      async () => () => Promise.all(workers.map((worker) => worker.stop('SIGKILL'))),
    );
    this.#workers = workers;
  }

  /** Starts a worker and waits until it is ready. */
  async startWorker(variables: Readonly<Record<string, string>> = {}): Promise<WorkerProcess> {
    const { address, namespace, taskQueue } = this.temporal;
    const worker = spawnWorker({
      ...workerVariables({ address, namespace, taskQueue, roots: [this.root], api: this.api }),
      LLM_JOBS_POLL_MIN: '100ms',
      LLM_JOBS_POLL_MAX: '200ms',
      ...variables,
    });
    this.#workers.push(worker);
    await worker.ready();
    return worker;
  }
}

/**
 * Everything as it is deployed: the dev server, and the ready-made worker on the built bundle. An hour of the API lasts
 * a second.
 */
export function workerProcessStage(api: LocalApiOptions = {}): WorkerProcessStage {
  return new WorkerProcessStage(api);
}

/** The same activities, reporting the type of each failure. */
function reportingFailures(activities: Activities, onFailure: (type: string) => void): Activities {
  const entries = Object.entries(activities) as [string, (...args: unknown[]) => Promise<unknown>][];
  return Object.fromEntries(
    entries.map(([name, activity]) => [
      name,
      (...args: unknown[]) =>
        activity(...args).catch((error: unknown) => {
          const type = error instanceof ApplicationFailure ? String(error.type) : String(error);
          if (type !== 'NothingNew') onFailure(type);
          throw error;
        }),
    ]),
  ) as unknown as Activities;
}
