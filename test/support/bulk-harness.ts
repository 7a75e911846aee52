/** Bulk batches on the real dev server: children run side by side, which the time-skipping server cannot do. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import OpenAI from 'openai';
import { afterAll, beforeAll } from 'vitest';
import { createActivities } from '../../src/activities/index.js';
import { LlmJobsClient } from '../../src/client.js';
import type { BulkBatchResult } from '../../src/index.js';
import { Storage } from '../../src/storage/storage.js';
import { LocalApi } from '../../src/testing/index.js';
import { devServer, startWorker, type TestTemporal } from './temporal.js';

export interface BulkHarness {
  readonly temporal: TestTemporal;
  readonly api: LocalApi;
  readonly storage: Storage;
  readonly jobs: LlmJobsClient;
  /** Writes an input and gives its URI. */
  readonly write: (name: string, content: string | Buffer) => Promise<string>;
}

/** Batches last half a second. Providers: `default`; `limited`, the same account with a budget of its own; `bare`, without metadata. */
export function bulkHarness(temporal = devServer()): BulkHarness {
  let folder: string;
  let storage: Storage;
  let api: LocalApi;
  let stopWorker: () => Promise<void>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'llm-jobs-bulk-'));
    storage = new Storage({ roots: [pathToFileURL(`${folder}/`).href] });
    api = await LocalApi.start({
      batches: { validatingMs: 50, inProgressMs: 300, finalizingMs: 50, cancellingMs: 100, jitter: 0 },
    });
    const client = new OpenAI({ apiKey: api.apiKey, baseURL: api.url, logLevel: 'off' });
    stopWorker = await startWorker(
      temporal,
      createActivities({
        providers: { default: { client }, limited: { client }, bare: { client, metadata: false } },
        storage,
        poll: { min: '150ms', max: '300ms' },
      }),
    );
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
    get storage() {
      return storage;
    },
    get jobs() {
      return new LlmJobsClient(temporal.client, { taskQueue: temporal.taskQueue });
    },
    write: async (name, content) => {
      await writeFile(join(folder, name), content);
      return pathToFileURL(join(folder, name)).href;
    },
  };
}

export interface ResultLine {
  readonly custom_id: string;
  readonly response: unknown;
  readonly round?: number;
  readonly outcome?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

export async function linesOf(uri: string | undefined): Promise<ResultLine[]> {
  const text = await readFile(fileURLToPath(uri ?? ''), 'utf8');
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as ResultLine);
}

export const ids = (requests: readonly { custom_id: string }[]): string[] => requests.map(({ custom_id }) => custom_id);
export const sum = ({ lines }: BulkBatchResult): number =>
  lines.succeeded + lines.failed + lines.unfinished + lines.missing;
