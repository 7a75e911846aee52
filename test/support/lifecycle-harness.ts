/**
 * Lifecycles on a real server: the time-skipping one, with the local API on its clock, real storage in a temporary folder and a
 * real worker on the built bundle. Time is one for all tests of a file, so they run one after the other.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ApplicationFailure, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { createActivities, type Activities } from '../../src/activities/index.js';
import { LlmJobsClient } from '../../src/client.js';
import type { BatchResult, ProviderOptions } from '../../src/index.js';
import { clockFrom, LocalApi, type LocalApiOptions } from '../../src/testing/index.js';
import { timeSkipping, startWorker, type TestTemporal } from './temporal.js';
import { jsonl } from './samples.js';

export interface Lifecycle {
  readonly temporal: TestTemporal;
  readonly api: LocalApi;
  readonly jobs: LlmJobsClient;
  /** URI of the storage root. */
  readonly root: string;
  /** Writes a JSONL file below the root; answers with its URI. */
  readonly write: (values: readonly unknown[] | string) => Promise<string>;
  /** Lets time pass, on the server and so on the local API. */
  readonly pass: (duration: string) => Promise<void>;
  /** Operations of the local API that were called since the test began, in order. */
  readonly calls: (operation?: string) => string[];
  /** Types of the failures that attempts of activities ended with since the test began, but for looks that found nothing new. */
  readonly failures: () => string[];
}

export interface LifecycleOptions {
  readonly api?: LocalApiOptions;
  /** Traits of the provider `default`. */
  readonly provider?: Partial<ProviderOptions>;
  /** Further providers by name, with the same account; `timeout` is the patience of the client in ms, a minute by default. */
  readonly providers?: Readonly<Record<string, Partial<ProviderOptions> & { readonly timeout?: number }>>;
}

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

/** Timings without jitter, so that a test knows where a batch stands. */
export const BATCH_TIMING = {
  validatingMs: 10 * MINUTE,
  inProgressMs: 4 * HOUR,
  finalizingMs: 20 * MINUTE,
  cancellingMs: 8 * MINUTE,
  jitter: 0,
} as const;

export function lifecycle(options: LifecycleOptions = {}): Lifecycle {
  const temporal = timeSkipping();
  let api: LocalApi;
  let folder: string;
  let stopWorker: () => Promise<void>;
  let firstRequest = 0;
  let failures: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'llm-jobs-lifecycle-'));
    const clock = clockFrom(() => temporal.env.currentTimeMs());
    api = await LocalApi.start({ clock, batches: BATCH_TIMING, ...options.api });
    stopWorker = await startWorker(
      temporal,
      overheard(
        createActivities({
          providers: Object.fromEntries(
            Object.entries({ default: options.provider ?? {}, ...options.providers }).map(
              ([name, { timeout, ...traits }]: [string, Partial<ProviderOptions> & { timeout?: number }]) => [
                name,
                { client: clientOf(api, timeout), ...traits },
              ],
            ),
          ),
          storage: [pathToFileURL(`${folder}/`).href],
        }),
        (type) => failures.push(type),
      ),
    );
  });
  beforeEach(() => {
    firstRequest = api.requests.length;
    failures = [];
  });
  afterAll(async () => {
    await stopWorker();
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
    get root() {
      return pathToFileURL(`${folder}/`).href;
    },
    write: async (values) => {
      const path = join(folder, `${randomUUID()}.jsonl`);
      await writeFile(path, typeof values === 'string' ? values : jsonl(values));
      return pathToFileURL(path).href;
    },
    pass: (duration) => temporal.env.sleep(duration as '1h'),
    calls: (operation) =>
      api.requests
        .slice(firstRequest)
        .map((request) => String(request.operation))
        .filter((name) => operation === undefined || name === operation),
    failures: () => failures,
  };
}

function clientOf(api: LocalApi, timeout = 60_000): OpenAI {
  return new OpenAI({ apiKey: api.apiKey, baseURL: api.url, logLevel: 'off', timeout });
}

/** The same activities, with a word on each failure. */
function overheard(activities: Activities, onFailure: (type: string) => void): Activities {
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

/** Whether the ledger of a result accounts for every line of the input. */
export function sumOf({ lines }: Pick<BatchResult, 'lines'>): number {
  return lines.succeeded + lines.failed + lines.unfinished + lines.missing;
}

/** The lines of a JSONL file in storage. */
export async function readLines(uri: string): Promise<Record<string, unknown>[]> {
  const text = await readFile(fileURLToPath(uri), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** The failure that ended the run. */
export async function failureOf(run: { result: () => Promise<unknown> }): Promise<ApplicationFailure> {
  const error = await run.result().then(
    () => new Error('the run did not fail'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(WorkflowFailedError);
  const { cause } = error as WorkflowFailedError;
  expect(cause).toBeInstanceOf(ApplicationFailure);
  return cause as ApplicationFailure;
}

export async function historyLength(handle: WorkflowHandle): Promise<number> {
  return (await handle.fetchHistory()).events?.length ?? 0;
}
