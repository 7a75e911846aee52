import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WorkflowFailedError } from '@temporalio/client';
import { beforeAll, describe, expect, test } from 'vitest';
import { chatExamples, chatRequests } from '../support/samples.js';
import { workerProcessStage } from '../support/stage.js';
import { endpoint } from '../support/runs.js';
import { waitFor } from '../../dev/stage/wait-for.js';
import type { WorkerProcess } from '../../dev/stage/worker-process.js';

/** Without the shape of a key, by which it could be told. */
const KEY = 'unlike-7hIsMustStayInTheWorker0123456789';

describe('the API key, with an API that repeats it in its errors', () => {
  const stage = workerProcessStage({ apiKey: KEY });
  let worker: WorkerProcess;
  beforeAll(async () => {
    worker = await stage.startWorker({ LLM_JOBS_LOG_LEVEL: 'DEBUG' });
  });

  const echoOnce = (on: Parameters<typeof stage.api.faults.add>[0]['on'], status: number) =>
    stage.api.faults.add({ on, effect: { kind: 'echoApiKey', status } });

  test('in passing errors and in the final one → nowhere in history, descriptions, logs, storage or failures', async () => {
    const passing = [
      echoOnce('files.create', 500),
      echoOnce('batches.create', 429),
      echoOnce('batches.retrieve', 503),
      echoOnce('files.content', 500),
    ];
    const batch = await stage.jobs.startBatch({ input: { requests: chatRequests(3) }, endpoint });
    const seen: unknown[] = [];
    await waitFor(async () => {
      const { raw, status } = await batch.handle.describe();
      if (raw.pendingActivities?.[0]?.lastFailure) seen.push(raw);
      return status.name !== 'RUNNING';
    }, 'the end of the batch');
    seen.push(await batch.result(), await batch.progress());
    expect(passing.map(({ hits }) => hits)).toEqual([1, 1, 1, 1]);

    const final = echoOnce('fineTuning.create', 401);
    const fineTuning = await stage.jobs.startFineTuning({
      model: 'gpt-4o-mini-2024-07-18',
      trainingFile: { uri: await stage.write(chatExamples(10)) },
    });
    const error = await fineTuning.result().catch((reason: unknown) => reason);
    expect(final.hits).toBe(1);
    expect(error).toBeInstanceOf(WorkflowFailedError);
    const { cause } = error as WorkflowFailedError;
    expect(cause).toMatchObject({ type: 'ApiRefused', details: [{ status: 401, code: 'invalid_api_key' }] });
    seen.push(chainOf(error));

    for (const { handle } of [batch, fineTuning]) {
      seen.push(await handle.fetchHistory(), (await handle.describe()).raw);
      seen.push(await handle.query('__temporal_workflow_metadata'));
    }
    await worker.stop('SIGTERM');
    seen.push(worker.stdout(), worker.stderr(), await contentOf(stage.folder));

    const text = asText(seen);
    expect(text).toContain('Incorrect API key provided');
    expect(text).toContain('batches.create: HTTP 429');
    expect(placesOf(KEY, text)).toEqual([]);
    // Nor encoded, nor a telling part of it.
    expect(placesOf(Buffer.from(KEY).toString('base64').slice(0, -4), text)).toEqual([]);
    expect(placesOf(KEY.slice(8, 28), text)).toEqual([]);
  });
});

/** What stands around each occurrence, so that a failure tells where it leaks. */
function placesOf(secret: string, text: string): string[] {
  return text
    .split(secret)
    .slice(0, -1)
    .map((before) => before.slice(-200));
}

/** All of a value: also the bytes of payloads, and what errors hide from JSON. */
function asText(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (part instanceof Uint8Array) return Buffer.from(part).toString('utf8');
    if (isJsonBuffer(part)) return Buffer.from(part.data).toString('utf8');
    return part;
  });
}

/** Buffers turn themselves into this before a replacer sees them. */
function isJsonBuffer(value: unknown): value is { type: 'Buffer'; data: number[] } {
  return typeof value === 'object' && value !== null && (value as { type?: unknown }).type === 'Buffer';
}

function chainOf(error: unknown): unknown[] {
  if (!(error instanceof Error)) return [];
  const own = Object.fromEntries(Object.getOwnPropertyNames(error).map((name) => [name, Reflect.get(error, name)]));
  return [{ ...own, cause: undefined }, String(error), ...chainOf(error.cause)];
}

async function contentOf(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const contents = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  return [...files, ...contents].join('\n');
}
