/**
 * Creates an endpoint, and leaves one where several processes create it at the same time. The provider has no create
 * that happens once, so each process looks at the list after its own create: the oldest endpoint stays, and whoever made
 * another one deletes it. All see the same order, so that one is kept, and its maker knows the secret.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type OpenAI from 'openai';
import { httpStatusOf } from '../provider/reply.js';
import { byAge, endpointsOf, isSameSet, newSecretSchema, PATH, type WebhookEndpoint } from './endpoints.js';

/**
 * How long the list is left alone after a create. It is more than a second, which is the precision of `created_at`: what
 * is created later is also younger, whatever its id.
 */
export const SETTLE_MS = 2_500;

/** A list may lag behind a create. One that shows the own endpoint also shows those that are older. */
const MAX_LOOKS = 3;

export interface EndpointSettings {
  readonly name: string;
  readonly url: string;
  readonly event_types: readonly string[];
}

/**
 * The answer to the create of an endpoint was lost, and with it the secret: `rotateWebhookSecret` gives the endpoint a
 * new one. It is not asked for here, since another process may just have created the same endpoint and have its secret.
 */
export class WebhookSecretLostError extends Error {
  override readonly name = 'WebhookSecretLostError';
  /** The endpoint that is there. */
  readonly endpointId: string;

  constructor(endpointId: string, cause: unknown) {
    super(
      `the answer to the create of a webhook endpoint was lost, and with it the signing secret of ${endpointId}: ` +
        'call rotateWebhookSecret to get a new one, unless another process has set up the same address',
      { cause },
    );
    this.endpointId = endpointId;
  }
}

/**
 * @returns the endpoint that stays; its secret is null if another process created it
 * @throws WebhookSecretLostError, and the errors of the client
 */
export async function createEndpoint(
  client: OpenAI,
  settings: EndpointSettings,
): Promise<{ readonly endpoint: WebhookEndpoint; readonly secret: string | null }> {
  const { url } = settings;
  const reply = await create(client, settings);
  const { signing_secret: secret, ...created } = reply;
  const own: WebhookEndpoint = { ...settings, ...created, event_types: [...settings.event_types] };
  const others = await listAfterCreate(client, url, (listed) => listed.some(({ id }) => id === own.id));
  const [oldest = own] = [own, ...others.filter(({ id }) => id !== own.id)].toSorted(byAge);
  if (oldest.id === own.id) return { endpoint: own, secret };
  await withdraw(client, own.id);
  return { endpoint: oldest, secret: null };
}

/** Creates it once: an answer that was lost is not asked for again. */
async function create(client: OpenAI, settings: EndpointSettings) {
  try {
    return newSecretSchema.parse(await client.post(PATH, { body: settings, maxRetries: 0 }));
  } catch (error) {
    const status = httpStatusOf(error);
    const isRefused = status !== null && status >= 400 && status < 500 && status !== 408;
    if (isRefused) throw error;
    // There was no endpoint of the address before, so all of these are new: ours, and those of other processes.
    const [oldest, ...others] = await listAfterCreate(client, settings.url, (listed) => listed.length > 0);
    for (const other of others) if (isLike(other, settings)) await withdraw(client, other.id);
    throw oldest === undefined ? error : new WebhookSecretLostError(oldest.id, error);
  }
}

/** Never rejects: a list that cannot be read must not cost the secret of the new endpoint. */
async function listAfterCreate(
  client: OpenAI,
  url: string,
  isCurrent: (listed: readonly WebhookEndpoint[]) => boolean,
): Promise<WebhookEndpoint[]> {
  let listed: WebhookEndpoint[] = [];
  for (let looks = 0; looks < MAX_LOOKS && !isCurrent(listed); looks += 1) {
    await sleep(SETTLE_MS);
    listed = await endpointsOf(client, url).catch(() => listed);
  }
  return listed;
}

function isLike(endpoint: WebhookEndpoint, { name, event_types: events }: EndpointSettings): boolean {
  return endpoint.name === name && isSameSet(endpoint.event_types ?? [], events);
}

/** Deletes an endpoint that is one too many. Its own maker may have done so. */
async function withdraw(client: OpenAI, id: string): Promise<void> {
  try {
    await client.delete(`${PATH}/${id}`);
  } catch (error) {
    if (httpStatusOf(error) === 404) return;
    throw new Error(`the webhook endpoint ${id} repeats every event of an older one: delete it`, { cause: error });
  }
}
