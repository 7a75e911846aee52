import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { LocalApi, scaledClock, WEBHOOK_FAULTS, type WebhookFaultName } from '../../../src/testing/index.js';
import { waitFor } from '../../../dev/stage/wait-for.js';
import {
  chatLines,
  createBatch,
  EXACT_BATCHES,
  EXACT_FINE_TUNING,
  HOUR,
  jsonl,
  MINUTE,
  rejection,
  startRig,
  upload,
  type Rig,
} from '../../support/local-api.js';
import { chatExamples } from '../../support/training-examples.js';
import { jobIdOf, typeOf, webhookReceiver, type ReceivedWebhook } from '../../support/webhook-receiver.js';

const SECRET = 'whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cywgMzIgYnl0ZXM=';
const OTHER_SECRET = 'whsec_b3RoZXIgb2YgdGhlIHRlc3RzLCAzMiBieXRlcyE=';

/** Verifies with the official SDK. */
function unwrap({ client }: Rig, { body, headers }: ReceivedWebhook, secret = SECRET) {
  return client.webhooks.unwrap(body, headers, secret);
}

async function startedJobs(rig: Rig): Promise<{ batch: string; job: string }> {
  const { id: batch } = await createBatch(rig.client, chatLines(2));
  const file = await upload(rig.client, jsonl(chatExamples(10)), 'fine-tune');
  const { id: job } = await rig.client.fineTuning.jobs.create({ model: 'gpt-4o-mini', training_file: file.id });
  return { batch, job };
}

const EXACT = { batches: EXACT_BATCHES, fineTuning: EXACT_FINE_TUNING };

describe('webhooks of the local API', () => {
  test('jobs end on the clock → one signed delivery each, which the SDK accepts', async () => {
    await using receiver = await webhookReceiver();
    await using rig = await startRig({ ...EXACT, webhooks: { url: receiver.url, secret: SECRET } });
    const { batch, job } = await startedJobs(rig);
    await rig.api.webhooks.sendDue();
    expect(receiver.received).toEqual([]);
    const created = Math.floor(rig.clock.now() / 1_000);
    rig.clock.advance(12 * MINUTE);
    await rig.api.webhooks.sendDue();
    rig.clock.advance(10 * HOUR);
    await rig.api.webhooks.sendDue();
    const events = await Promise.all(receiver.received.map((received) => unwrap(rig, received)));
    expect(events).toEqual([
      {
        object: 'event',
        id: expect.stringMatching(/^evt_/) as string,
        type: 'batch.completed',
        created_at: created + 12 * 60,
        data: { id: batch },
      },
      {
        object: 'event',
        id: expect.stringMatching(/^evt_/) as string,
        type: 'fine_tuning.job.succeeded',
        created_at: created + 32 * 60,
        data: { id: job },
      },
    ]);
    await expect(unwrap(rig, receiver.received[0]!, OTHER_SECRET)).rejects.toThrow('does not match');
  });

  test('cancelled jobs and a refused input → their ends are told, each once', async () => {
    await using receiver = await webhookReceiver();
    await using rig = await startRig({ ...EXACT, webhooks: { url: receiver.url, secret: SECRET } });
    const { batch, job } = await startedJobs(rig);
    rig.api.scenarios.forNextBatch('failsValidation');
    const { id: refused } = await createBatch(rig.client, chatLines(2));
    await rig.client.fineTuning.jobs.cancel(job);
    await rig.client.batches.cancel(batch);
    rig.clock.advance(HOUR);
    await rig.api.webhooks.sendDue();
    rig.clock.advance(HOUR);
    await rig.api.webhooks.sendDue();
    expect(Object.fromEntries(receiver.received.map((received) => [typeOf(received), jobIdOf(received)]))).toEqual({
      'batch.cancelled': batch,
      'batch.failed': refused,
      'fine_tuning.job.cancelled': job,
    });
    expect(receiver.received).toHaveLength(3);
  });

  test('a clock that runs by itself → sent without a request to the API', async () => {
    await using receiver = await webhookReceiver();
    await using api = await LocalApi.start({
      clock: scaledClock(3_600),
      batches: EXACT_BATCHES,
      webhooks: { url: receiver.url },
    });
    const client = new OpenAI({ baseURL: api.url, apiKey: api.apiKey, maxRetries: 0 });
    await createBatch(client, chatLines(2));
    const requests = api.requests.length;
    await waitFor(() => receiver.received.length > 0, 'the webhook');
    expect(api.requests).toHaveLength(requests);
  });

  test('a job that ended before the endpoint was created, other events → nothing', async () => {
    await using receiver = await webhookReceiver();
    await using rig = await startRig(EXACT);
    await createBatch(rig.client, chatLines(2));
    rig.clock.advance(HOUR);
    await rig.api.webhooks.add({ url: receiver.url });
    await rig.api.webhooks.add({ url: receiver.url, eventTypes: ['batch.failed'] });
    const { id } = await createBatch(rig.client, chatLines(2));
    rig.clock.advance(HOUR);
    await rig.api.webhooks.sendDue();
    expect(receiver.received.map(jobIdOf)).toEqual([id]);
  });
});

describe('deliveries that are not accepted', () => {
  test('5xx, then a redirect → tried again with the same id and a new timestamp, until it is accepted', async () => {
    await using receiver = await webhookReceiver();
    receiver.answers.push(503, 302);
    await using rig = await startRig({ ...EXACT, webhooks: { url: receiver.url, secret: SECRET } });
    await createBatch(rig.client, chatLines(2));
    for (const ms of [HOUR, 4_000, 1_000, 5 * MINUTE, HOUR]) {
      rig.clock.advance(ms);
      await rig.api.webhooks.sendDue();
    }
    expect(rig.api.webhooks.deliveries).toMatchObject([
      { state: 'delivered', attempts: [{ status: 503 }, { status: 302 }, { status: 200 }] },
    ]);
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    for (const received of receiver.received) await unwrap(rig, received);
  });

  test('no server at all → given up after 72 hours of the clock', async () => {
    await using rig = await startRig({ ...EXACT, webhooks: { url: 'http://127.0.0.1:1/' } });
    await createBatch(rig.client, chatLines(2));
    rig.clock.advance(12 * MINUTE);
    for (let hour = 0; hour <= 80; hour += 1) {
      await rig.api.webhooks.sendDue();
      rig.clock.advance(HOUR);
    }
    const [delivery] = rig.api.webhooks.deliveries;
    expect(delivery).toMatchObject({ state: 'givenUp' });
    expect(delivery!.attempts.length).toBeGreaterThanOrEqual(9);
    expect(delivery!.attempts.at(-1)!.at - delivery!.attempts[0]!.at).toBeLessThanOrEqual(72 * HOUR);
  });
});

const [DONE, FAILED] = ['batch.completed', 'batch.failed'];

const refusedBy = (reason: string) => (rig: Rig, received: ReceivedWebhook[]) =>
  expect(unwrap(rig, received[0]!)).rejects.toThrow(reason);

const withIds = (count: number) => (_: Rig, received: ReceivedWebhook[]) => {
  expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(count);
};

describe('faults of deliveries', () => {
  test.each<[WebhookFaultName, early: string[], all: string[], check: (rig: Rig, all: ReceivedWebhook[]) => unknown]>([
    ['drop', [], [FAILED], withIds(1)],
    ['delay', [], [DONE, FAILED], withIds(2)],
    ['duplicate', [DONE, DONE], [DONE, DONE, FAILED], withIds(2)],
    ['reorder', [], [FAILED, DONE], withIds(2)],
    ['badSignature', [DONE], [DONE, FAILED], refusedBy('does not match')],
    ['staleTimestamp', [DONE], [DONE, FAILED], refusedBy('too old')],
  ])('%s, of the first of two events → as its name says', async (effect, early, all, check) => {
    await using receiver = await webhookReceiver();
    await using rig = await startRig({ ...EXACT, webhooks: { url: receiver.url, secret: SECRET } });
    const fault = rig.api.webhooks.faults.add({ on: '*', effect });
    await createBatch(rig.client, chatLines(2));
    rig.clock.advance(12 * MINUTE);
    await rig.api.webhooks.sendDue();
    expect(receiver.received.map(typeOf)).toEqual(early);
    rig.api.scenarios.forNextBatch('failsValidation');
    await createBatch(rig.client, chatLines(2));
    rig.clock.advance(MINUTE);
    await rig.api.webhooks.sendDue();
    expect(fault.hits).toBe(1);
    // What is sent at the same time arrives in any order.
    const types = receiver.received.map(typeOf);
    expect(effect === 'delay' ? types.toSorted() : types).toEqual(all);
    await check(rig, receiver.received);
  });

  test('every fault by name → is tested above', () => {
    expect(Object.keys(WEBHOOK_FAULTS)).toHaveLength(6);
  });
});

describe('the API of webhook endpoints', () => {
  const body = { name: 'ours', url: 'https://example.com/webhooks', event_types: ['batch.completed'] };
  type Endpoint = { id: string; signing_secret?: string; event_types: string[]; url: string };

  test('create, retrieve, list, update, delete → the secret is told at the creation only', async () => {
    await using rig = await startRig();
    const { client } = rig;
    const created: Endpoint = await client.post('/webhook_endpoints', { body });
    expect(created.signing_secret).toMatch(/^whsec_/);
    const read: Endpoint = await client.get(`/webhook_endpoints/${created.id}`);
    expect(read).toMatchObject({ object: 'webhook_endpoint', ...body });
    expect(read.signing_secret).toBeUndefined();
    await client.post(`/webhook_endpoints/${created.id}`, { body: { event_types: ['batch.failed'] } });
    const { data }: { data: Endpoint[] } = await client.get('/webhook_endpoints');
    expect(data.map(({ event_types: types }) => types)).toEqual([['batch.failed']]);
    expect(await client.delete(`/webhook_endpoints/${created.id}`)).toMatchObject({ deleted: true });
    expect(await rejection(client.get(`/webhook_endpoints/${created.id}`))).toMatchObject({ status: 404 });
    const types: { data: string[] } = await client.get('/webhook_event_types');
    expect(types.data).toContain('fine_tuning.job.succeeded');
  });

  test.each([
    ['plain HTTP to another machine', { ...body, url: 'http://example.com/' }, 'url'],
    ['an unknown event', { ...body, event_types: ['batch.exploded'] }, 'event_types[0]'],
    ['no name', { ...body, name: '' }, 'name'],
  ])('create with %s → 400', async (_, wrong, param) => {
    await using rig = await startRig();
    expect(await rejection(rig.client.post('/webhook_endpoints', { body: wrong }))).toMatchObject({
      status: 400,
      param,
    });
  });

  test('rotated, the old secret kept → both sign for a day, then the new one alone', async () => {
    await using receiver = await webhookReceiver();
    await using rig = await startRig(EXACT);
    const { id } = await rig.api.webhooks.add({ url: receiver.url, secret: SECRET });
    const { signing_secret: secret }: Endpoint = await rig.client.post(`/webhook_endpoints/${id}/rotate_secret`, {
      body: { keep_old_secret_active_for_24_hours: true },
    });
    await createBatch(rig.client, chatLines(2));
    rig.clock.advance(HOUR);
    await rig.api.webhooks.sendDue();
    await unwrap(rig, receiver.received[0]!, SECRET);
    await unwrap(rig, receiver.received[0]!, secret);
    rig.clock.advance(24 * HOUR);
    await createBatch(rig.client, chatLines(2));
    rig.clock.advance(HOUR);
    await rig.api.webhooks.sendDue();
    await unwrap(rig, receiver.received[1]!, secret);
    await expect(unwrap(rig, receiver.received[1]!, SECRET)).rejects.toThrow('does not match');
  });

  test('a test → a sample is sent at once, and the status of its answer told', async () => {
    await using receiver = await webhookReceiver();
    await using rig = await startRig();
    const { id } = await rig.api.webhooks.add({ url: receiver.url, secret: SECRET });
    receiver.answers.push(204, 500);
    const sample = () => rig.client.post(`/webhook_endpoints/${id}/test`, { body: { event_type: 'batch.expired' } });
    expect(await sample()).toMatchObject({
      object: 'webhook_endpoint.test',
      event_type: 'batch.expired',
      status_code: 204,
    });
    expect(await sample()).toMatchObject({ success: true, status_code: 500 });
    expect(await unwrap(rig, receiver.received[0]!)).toMatchObject({ type: 'batch.expired' });
  });
});
