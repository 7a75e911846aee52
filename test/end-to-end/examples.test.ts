/** The examples, on one worker, with a codec that encrypts what Temporal sees. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import type { Worker } from '@temporalio/worker';
import { LlmJobsClient, Storage } from 'temporal-llm-jobs/client';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { evaluationActivities } from '../../examples/fine-tune-and-evaluate/activities.js';
import type { chooseModel } from '../../examples/fine-tune-and-evaluate/workflow.js';
import { batchService } from '../../examples/http-service/service.js';
import { inboxActivities } from '../../examples/nightly-classification/activities.js';
import { scheduleNights } from '../../examples/nightly-classification/schedule.js';
import type { answerQuestions } from '../../examples/own-worker/answer-questions.js';
import { EncryptionCodec } from '../../examples/own-worker/codec.js';
import { createWorker } from '../../examples/own-worker/worker.js';
import { clientOf, startBackend, type Backend } from '../../dev/stage/backend.js';
import { waitFor } from '../../dev/stage/wait-for.js';

import { readPage, ROOT } from '../support/docs/pages.js';
import { readLines } from '../support/runs.js';
import { chatExamples, chatRequests } from '../support/samples.js';
import { devServer } from '../support/temporal.js';

const temporal = devServer();
const dataConverter = { payloadCodecs: [new EncryptionCodec(randomBytes(32))] };
const QUICK = { jitter: 0, validatingMs: 0, finalizingMs: 0, cancellingMs: 100, inProgressMs: 300 };

let backend: Backend;
let client: Client;
let storage: Storage;
let worker: Worker;
let running: Promise<void>;

beforeAll(async () => {
  const fineTuning = { jitter: 0, validatingMs: 0, queuedMs: 0, runningMs: 500 };
  backend = await startBackend({ batches: QUICK, fineTuning });
  storage = new Storage({ roots: [backend.folder.uri] });
  const { connection, namespace, taskQueue } = temporal;
  client = new Client({ connection: temporal.client.connection, namespace, dataConverter });
  worker = await createWorker({
    connection,
    namespace,
    taskQueue,
    dataConverter,
    providers: { default: { client: clientOf(backend.api) } },
    storage: [backend.folder.uri],
    poll: { min: '100ms', max: '500ms' },
    workflowsPath: fileURLToPath(new URL('all-examples.ts', import.meta.url)),
    activities: { ...evaluationActivities(storage), ...inboxActivities(storage) },
  });
  running = worker.run();
});

afterAll(async () => {
  worker.shutdown();
  await running;
  await backend.stop();
});

/** A name that no other test file uses on the shared server. */
const unique = (name: string): string => `${name}-${temporal.taskQueue}`;

test('own worker, encrypted: a workflow with a batch as its child → answers, of which Temporal saw nothing', async () => {
  const handle = await client.workflow.start<typeof answerQuestions>('answerQuestions', {
    taskQueue: temporal.taskQueue,
    workflowId: unique('questions'),
    args: [['Why is the sky blue?', 'What is a batch?']],
  });
  const { answered, uri } = await handle.result();
  expect(answered).toBe(2);
  expect(await readLines(uri ?? undefined)).toHaveLength(2);
  const history = JSON.stringify(await handle.fetchHistory());
  expect(history).not.toContain(Buffer.from('Why is the sky blue?').toString('base64').slice(4, 20));
  expect(history).toContain(Buffer.from('binary/encrypted').toString('base64'));
});

test('own worker: its codec → the one of docs/how-to/encryption.md', () => {
  const shown = readPage('docs/how-to/encryption.md').blocks.map(({ text }) => `${text}\n`.replace(/^.*\n/, ''));
  expect(shown).toContain(readFileSync(join(ROOT, 'examples/own-worker/codec.ts'), 'utf8').replace(/^.*\n/, ''));
});

test('HTTP service: start, repeat, show, answers, cancel → as its README says', async () => {
  const service = batchService(new LlmJobsClient(client, { taskQueue: temporal.taskQueue }), storage);
  const id = unique('http');
  const post = (body: object) => service.request('/batches', { method: 'POST', body: JSON.stringify(body) });
  const requests = chatRequests(3);

  expect((await post({ id, requests })).status).toBe(202);
  expect((await post({ id, requests })).status).toBe(202);
  expect(await (await service.request(`/batches/${id}`)).json()).toMatchObject({ phase: expect.any(String) });
  const answers = await (await service.request(`/batches/${id}/answers`)).json();
  expect(answers).toMatchObject({ status: 'completed', answers: { 'request-0': expect.any(String) } });
  expect((await post({ id, requests })).status).toBe(409);
  expect((await service.request(`/batches/${id}`, { method: 'DELETE' })).status).toBe(404);
  expect((await post({ id: unique('wrong'), requests: [] })).status).toBe(400);

  backend.api.scenarios.forNextBatch('stuckInProgress');
  const other = unique('cancelled');
  await post({ id: other, requests });
  const isThere = async () => (await (await service.request(`/batches/${other}`)).text()).includes('in_progress');
  await waitFor(isThere, 'the batch to be at the provider');
  expect((await service.request(`/batches/${other}?reason=enough`, { method: 'DELETE' })).status).toBe(202);
  expect(await (await service.request(`/batches/${other}/answers`)).json()).toMatchObject({ status: 'cancelled' });
});

test('fine-tune and evaluate: a held-out set → both models scored, and the better one chosen', async () => {
  const heldOut = ['billing', 'bug', 'question', 'bug'].map((label, index) => ({ text: `Ticket ${index}`, label }));
  const baseModel = 'gpt-4o-mini-2024-07-18';
  const { chosen, scores } = await client.workflow.execute<typeof chooseModel>('chooseModel', {
    taskQueue: temporal.taskQueue,
    workflowId: unique('choose'),
    args: [
      {
        baseModel,
        trainingFile: await backend.folder.write(chatExamples(10)),
        heldOut: await backend.folder.write(heldOut),
      },
    ],
  });
  const [tuned = ''] = Object.keys(scores).filter((model) => model !== baseModel);
  expect(tuned).toMatch(/^ft:gpt-4o-mini-2024-07-18:/);
  expect(Object.values(scores).every((share) => share >= 0 && share <= 1)).toBe(true);
  expect(chosen).toBe((scores[tuned] ?? 0) > (scores[baseModel] ?? 0) ? tuned : baseModel);
});

test('nightly classification: the Schedule is triggered → labels are written, and the inbox is empty', async () => {
  await mkdir(join(backend.folder.path, 'inbox'));
  const inbox = storage.resolve(backend.folder.uri, 'inbox');
  await backend.folder.write('I was charged twice.', 'inbox/a.txt');
  await backend.folder.write('How do I log in?', 'inbox/b.txt');
  const schedule = { scheduleId: unique('nights'), taskQueue: temporal.taskQueue, inbox };
  await scheduleNights(client, schedule);
  const handle = await scheduleNights(client, schedule);
  onTestFinished(() => handle.delete());
  await handle.trigger();
  await waitFor(async () => (await handle.describe()).info.recentActions.length > 0, 'the night to start');
  const [action] = (await handle.describe()).info.recentActions;
  const { workflowId } = action?.action.workflow ?? {};
  const night = (await client.workflow.getHandle(workflowId ?? '').result()) as { classified: number; labels: string };
  expect(night.classified).toBe(2);
  expect(await readLines(night.labels)).toMatchObject([
    { category: expect.any(String) },
    { category: expect.any(String) },
  ]);
  expect(await readdir(join(backend.folder.path, 'inbox'))).toEqual([]);
});
