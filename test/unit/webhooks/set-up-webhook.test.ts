import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import {
  NoWebhookApiError,
  rotateWebhookSecret,
  setUpWebhook,
  testWebhook,
  webhookHandler,
} from '../../../src/webhooks.js';
import { startWebhookServer } from '../../../src/worker/webhook-server.js';
import { chatLines, createBatch, HOUR, rejection, startRig, type Rig } from '../../support/local-api.js';
import { unreachableTemporal } from '../../support/webhook-handling.js';
import { webhookReceiver } from '../../support/webhook-receiver.js';
import { OTHER_SECRET } from '../../support/webhook-requests.js';

const ADDRESS = 'https://jobs.example.com/webhooks';
const WHOLE = [
  'batch.completed',
  'batch.failed',
  'batch.expired',
  'batch.cancelled',
  'fine_tuning.job.succeeded',
  'fine_tuning.job.failed',
  'fine_tuning.job.cancelled',
];

async function endpointsOf({ client }: Rig): Promise<unknown[]> {
  const { data }: { data: unknown[] } = await client.get('/webhook_endpoints');
  return data;
}

const posts = ({ api }: Rig) =>
  api.requests.filter(({ method }) => method === 'POST').map(({ operation }) => operation);

describe.concurrent('setUpWebhook', () => {
  test('no endpoint yet → created with all ends of jobs; called again → kept, and its secret not told', async () => {
    await using rig = await startRig();
    const first = await setUpWebhook(rig.client, ADDRESS);
    expect(first).toMatchObject({ isCreated: true, isUpdated: false });
    expect(first.secret).toMatch(/^whsec_/);
    expect(await setUpWebhook(rig.client, ADDRESS)).toEqual({
      id: first.id,
      secret: null,
      isCreated: false,
      isUpdated: false,
    });
    expect(await endpointsOf(rig)).toMatchObject([{ url: ADDRESS, event_types: WHOLE }]);
    expect(posts(rig)).toEqual(['webhooks.create']);
  });

  test('other events than before → updated to exactly these', async () => {
    await using rig = await startRig();
    const { id } = await rig.api.webhooks.add({ url: ADDRESS, eventTypes: ['batch.completed', 'response.completed'] });
    const events = ['batch.failed', 'batch.completed'];
    expect(await setUpWebhook(rig.client, ADDRESS, { events })).toMatchObject({ id, isUpdated: true, secret: null });
    expect(await setUpWebhook(rig.client, ADDRESS, { events: events.toReversed() })).toMatchObject({
      isUpdated: false,
    });
    expect(await endpointsOf(rig)).toMatchObject([{ id, event_types: events }]);
  });

  test('endpoints of others, more than a page of them → left alone', async () => {
    await using rig = await startRig();
    const { id } = await rig.api.webhooks.add({ url: ADDRESS, eventTypes: ['batch.completed'] });
    for (let n = 0; n < 101; n += 1) await rig.api.webhooks.add({ url: `https://example.com/${n}` });
    const events = ['batch.completed'];
    expect(await setUpWebhook(rig.client, ADDRESS, { events })).toMatchObject({ id, isCreated: false });
    expect(await setUpWebhook(rig.client, `${ADDRESS}?tenant=2`)).toMatchObject({ isCreated: true });
    expect(posts(rig)).toEqual(['webhooks.create']);
  });

  test('a provider without the API → an error that says what to do by hand', async () => {
    await using rig = await startRig();
    rig.api.faults.add({ on: '*', times: 9, effect: { kind: 'status', status: 404, message: 'Invalid URL' } });
    const wanted = [ADDRESS, 'batch.completed', 'OPENAI_WEBHOOK_SECRET', '404'];
    const error = await rejection(setUpWebhook(rig.client, ADDRESS));
    expect(error).toBeInstanceOf(NoWebhookApiError);
    for (const word of wanted) expect(error.message).toContain(word);
    expect(await rejection(testWebhook(rig.client, 'whe_1'))).toBeInstanceOf(NoWebhookApiError);
    expect(await rejection(rotateWebhookSecret(rig.client, 'whe_1'))).toBeInstanceOf(NoWebhookApiError);
  });

  test('a wrong key → the error of the client', async () => {
    await using rig = await startRig();
    const client = new OpenAI({ baseURL: rig.api.url, apiKey: 'sk-wrong', maxRetries: 0 });
    expect(await rejection(setUpWebhook(client, ADDRESS))).toMatchObject({ status: 401 });
  });

  test('an address that is none → refused before a request', async () => {
    await using rig = await startRig();
    await expect(setUpWebhook(rig.client, 'jobs.example.com')).rejects.toThrow('complete URL');
    expect(rig.api.requests).toEqual([]);
  });
});

describe('testWebhook and rotateWebhookSecret', () => {
  test('a handler with the secret, then with another → accepted, then not', async () => {
    await using rig = await startRig();
    const secret = OTHER_SECRET;
    const server = await startWebhookServer(
      { port: 0, host: '127.0.0.1' },
      {
        temporal: unreachableTemporal(),
        accounts: [{ name: 'default', openai: rig.client, secrets: secret }],
        warn: () => undefined,
      },
    );
    const [url = ''] = server.urls;
    try {
      const right = await rig.api.webhooks.add({ url, secret });
      expect(await testWebhook(rig.client, right.id)).toEqual({ statusCode: 200, isAccepted: true });
      const wrong = await rig.api.webhooks.add({ url });
      expect(await testWebhook(rig.client, wrong.id, 'fine_tuning.job.failed')).toEqual({
        statusCode: 401,
        isAccepted: false,
      });
    } finally {
      await server.stop();
    }
  });

  test('rotated → a handler that has both secrets takes everything, for the day in which both sign and after it', async () => {
    await using receiver = await webhookReceiver();
    await using rig = await startRig();
    const { id, signing_secret: old } = await rig.api.webhooks.add({ url: receiver.url });
    const { secret } = await rotateWebhookSecret(rig.client, id);
    expect(secret).not.toBe(old);
    for (const hours of [0, 25]) {
      rig.clock.advance(hours * HOUR);
      await createBatch(rig.client, chatLines(1));
      rig.clock.advance(2 * HOUR);
      await rig.api.webhooks.sendDue();
    }
    const answered = await Promise.all(
      [[old!], [secret], [old!, secret]].map(async (secrets) => {
        const handler = webhookHandler({ temporal: unreachableTemporal(), openai: rig.client, secrets });
        const requests = receiver.received.map(
          ({ headers, body }) =>
            new Request(receiver.url, { method: 'POST', headers: headers as Record<string, string>, body }),
        );
        return Promise.all(requests.map(async (request) => (await handler(request)).status));
      }),
    );
    expect(answered).toEqual([
      [200, 401],
      [200, 200],
      [200, 200],
    ]);
  });

  test('without keeping the old secret → it no longer signs', async () => {
    await using receiver = await webhookReceiver();
    await using rig = await startRig();
    const { id, signing_secret: secret } = await rig.api.webhooks.add({ url: receiver.url });
    await rotateWebhookSecret(rig.client, id, { keepOld: false });
    await testWebhook(rig.client, id);
    const [{ headers, body } = { headers: {}, body: '' }] = receiver.received;
    await expect(rig.client.webhooks.unwrap(body, headers, secret)).rejects.toThrow('does not match');
  });

  test.each(['', '../files', 'whe_1/test?x'])('an endpoint %j → refused before a request', async (id) => {
    await using rig = await startRig();
    await expect(testWebhook(rig.client, id)).rejects.toThrow('the id of a webhook endpoint');
    expect(rig.api.requests).toEqual([]);
  });

  test('an endpoint that is not there → the 404 of the provider', async () => {
    await using rig = await startRig();
    expect(await rejection(testWebhook(rig.client, 'whe_gone'))).toMatchObject({ status: 404 });
  });
});
