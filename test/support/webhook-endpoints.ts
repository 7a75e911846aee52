/** Webhook endpoints of a local API in real time. */
import OpenAI from 'openai';
import { LocalApi, scaledClock } from '../../src/testing/index.js';
import { testWebhook } from '../../src/webhooks.js';
import type { WebhookReceiver } from './webhook-receiver.js';

export const ADDRESS = 'https://jobs.example.com/webhooks';

/** A local API in real time, where each create has a time of its own. */
export async function startTimedRig() {
  const api = await LocalApi.start({ clock: scaledClock(1) });
  const client = new OpenAI({ baseURL: api.url, apiKey: api.apiKey, maxRetries: 0 });
  return { api, client, [Symbol.asyncDispose]: () => api.close() };
}

type EndpointRig = Pick<Awaited<ReturnType<typeof startTimedRig>>, 'api' | 'client'>;

/** The ids of all endpoints. */
export const endpointIdsOf = ({ api }: EndpointRig) => api.webhooks.endpoints.list().map(({ id }) => id);

/** The event of a test delivery. Rejects if the secret did not sign it. */
export async function verifiedTest(
  { client }: EndpointRig,
  receiver: WebhookReceiver,
  id: string,
  secret: string | null,
) {
  await testWebhook(client, id);
  const { headers, body } = receiver.received.at(-1)!;
  return client.webhooks.unwrap(body, headers, secret);
}
