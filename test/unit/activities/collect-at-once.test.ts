/** Two attempts of one collect at once: one that stalled, and its successor. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import OpenAI from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createActivities } from '../../../src/activities/index.js';
import type { CollectBatchInput, CollectedBatch, CollectedBatchFiles } from '../../../src/contract/activities/batch.js';
import { failure, jsonl, request, success } from '../../support/result-lines.js';
import { sandbox } from '../../support/storage.js';

const OUTPUT = jsonl(success('a'), success('b'));
const ERRORS = jsonl(failure('c'), failure('d'));
let box: Awaited<ReturnType<typeof sandbox>>;
/** The first reply with the error file, which waits for its second half. */
let stalled: ServerResponse | null = null;

const server = createServer((incoming, response) => {
  const isOutput = incoming.url?.startsWith('/v1/files/file-output/content') === true;
  // At the first look, the output has only one of its lines.
  const content = isOutput ? (stalled === null ? jsonl(success('a')) : OUTPUT) : ERRORS;
  response.writeHead(200, { 'content-length': content.length });
  if (isOutput || stalled !== null) response.end(content);
  else {
    stalled = response;
    response.write(content.slice(0, content.length / 2));
  }
});

beforeAll(async () => {
  box = await sandbox();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await box.remove();
});

async function collect(input: Omit<CollectBatchInput, 'batch'>): Promise<CollectedBatch> {
  const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const client = new OpenAI({ apiKey: 'none', baseURL });
  const activities = createActivities({ providers: { default: { client } }, storage: box.storage });
  const times = { createdAt: 1, inProgressAt: 2, expiresAt: 3, finalizingAt: 4, completedAt: 5 };
  const batch = {
    id: 'batch_1',
    status: 'completed',
    endpoint: '/v1/chat/completions',
    model: null,
    inputFileId: 'file-input',
    outputFileId: 'file-output',
    errorFileId: 'file-errors',
    errors: [],
    requestCounts: { total: 4, completed: 2, failed: 2 },
    usage: null,
    metadata: {},
    timestamps: { ...times, failedAt: null, expiredAt: null, cancellingAt: null, cancelledAt: null },
  };
  const environment = new MockActivityEnvironment({});
  const collected: unknown = await environment.run(() => activities.collectBatchResults({ ...input, batch }));
  return (collected as CollectedBatchFiles).result;
}

test('an attempt stalls with less than its successor reads → the files are the successor’s, and nothing else is left', async () => {
  const requests = jsonl(...['a', 'b', 'c', 'd'].map((id) => request(id)));
  const file = await box.storage.write(
    box.uri('in.jsonl'),
    (async function* () {
      yield requests;
    })(),
  );
  const checked = { requests: 4, model: null, file };
  const input = {
    provider: 'default',
    input: checked,
    outputUri: null,
    settleForMs: 0,
    cancellation: null,
    warnings: [],
  };
  const first = collect(input).then(
    () => null,
    (error: unknown) => error,
  );
  await expect.poll(() => stalled, { timeout: 30_000 }).not.toBeNull();
  // What a killed worker left.
  await mkdir(join(box.root, 'batch_1'), { recursive: true });
  await writeFile(join(box.root, 'batch_1', 'without-success-0.jsonl'), ERRORS);
  const second = await collect(input);
  expect(second.lines).toEqual({ succeeded: 2, failed: 2, unfinished: 0, missing: 0 });

  stalled!.end(ERRORS.slice(ERRORS.length / 2));
  expect(await first).toMatchObject({ message: expect.stringContaining('another attempt') as string });
  expect((await readdir(join(box.root, 'batch_1'))).toSorted()).toEqual([
    'errors.jsonl',
    'manifest.json',
    'output.jsonl',
  ]);
  for (const { uri, bytes } of [second.output!, second.errors!]) {
    expect((await box.storage.stat(uri))?.bytes).toBe(bytes);
  }
});
