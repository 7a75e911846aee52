import { request as httpRequest } from 'node:http';
import { expect, test } from 'vitest';
import { startWebhookServer } from '../../../src/worker/webhook-server.js';
import { startRig } from '../../support/local-api.js';
import { unreachableTemporal } from '../../support/webhook-handling.js';
import { eventOf, OTHER_SECRET, SECRET, webhookRequest } from '../../support/webhook-requests.js';

async function startServer(port = 0) {
  const rig = await startRig();
  const warnings: string[] = [];
  const server = await startWebhookServer(
    { port, host: '127.0.0.1' },
    {
      temporal: unreachableTemporal(),
      accounts: [
        { name: 'default', openai: rig.client, secrets: [SECRET] },
        { name: 'other', openai: rig.client, secrets: [OTHER_SECRET] },
      ],
      warn: (message) => warnings.push(message),
    },
  ).catch(async (error: unknown) => {
    await rig.api.close();
    throw error;
  });
  const [url = '', otherUrl = ''] = server.urls;
  const send = async (request: Request, to = url) => {
    const { status } = await fetch(to, {
      method: 'POST',
      headers: request.headers,
      body: await request.text(),
    });
    return status;
  };
  const dispose = async () => {
    await server.stop();
    await rig.api.close();
  };
  return { ...rig, ...server, url, otherUrl, send, warnings, [Symbol.asyncDispose]: dispose };
}

test('webhook server: its paths → webhooks, health, and nothing else', async () => {
  await using server = await startServer();
  expect(await server.send(webhookRequest({ body: eventOf('resp_1', 'response.completed') }))).toBe(200);
  expect(await server.send(webhookRequest({ secret: OTHER_SECRET }))).toBe(401);
  const { status, headers } = await fetch(server.url);
  expect([status, headers.get('allow')]).toEqual([405, 'POST']);
  const { origin } = new URL(server.url);
  expect((await fetch(`${origin}/healthz`)).status).toBe(200);
  expect((await fetch(`${origin}/`)).status).toBe(404);
});

const ofOther = () => webhookRequest({ body: eventOf('resp_1', 'response.completed'), secret: OTHER_SECRET });

test('webhook server: two accounts → an address each, with its own secrets', async () => {
  await using server = await startServer();
  expect(server.otherUrl).toBe(`${server.url}/other`);
  expect(await server.send(ofOther(), server.otherUrl)).toBe(200);
  expect(await server.send(ofOther())).toBe(401);
  expect(await server.send(webhookRequest(), server.otherUrl)).toBe(401);
  expect((await fetch(`${server.url}/nobody`)).status).toBe(404);
});

test('webhook server: 200 forged → one warning, without a secret', async () => {
  await using server = await startServer();
  const forged = () => server.send(webhookRequest({ secret: OTHER_SECRET }));
  for (let round = 0; round < 4; round += 1) await Promise.all(Array.from({ length: 50 }, forged));
  expect(server.warnings).toEqual(['a webhook was not accepted: forged; so far: forged 1']);
});

test('webhook server: an endless body without a length → 413, before it ends', async () => {
  await using server = await startServer();
  const { headers } = webhookRequest();
  const status = await new Promise((resolve, reject) => {
    const request = httpRequest(server.url, { method: 'POST', headers: Object.fromEntries(headers) }, (response) => {
      resolve(response.statusCode);
      clearInterval(timer);
      request.destroy();
    });
    const timer = setInterval(() => request.write(Buffer.alloc(16 * 1_024)), 5);
    request.on('error', reject);
  });
  expect(status).toBe(413);
});

test('webhook server: a port that is taken → an error that names the variable', async () => {
  await using server = await startServer();
  await expect(startServer(Number(new URL(server.url).port))).rejects.toThrow(/LLM_JOBS_WEBHOOK_PORT.*EADDRINUSE/);
});

test('webhook server: stopped while a delivery is handled → answers it first', async () => {
  await using server = await startServer();
  server.api.faults.add({ on: 'batches.retrieve', times: 3, effect: { kind: 'delay', ms: 200 } });
  const answer = server.send(webhookRequest({ body: eventOf('batch_unknown') }));
  while (server.api.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  await server.stop();
  expect(await answer).toBe(200);
  await expect(fetch(server.url)).rejects.toThrow('fetch failed');
});
