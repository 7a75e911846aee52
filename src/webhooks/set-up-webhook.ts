/** Sets up the provider's endpoint for webhooks, tests it and rotates its secret. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { guardedClient } from '../provider/guarded-client.js';
import type { OpenAIClient } from '../provider/openai-client.js';
import { httpStatusOf } from '../provider/reply.js';
import { createEndpoint, SETTLE_MS } from './create-endpoint.js';
import { endpointsOf, isSameSet, newSecretSchema, PATH, type WebhookEndpoint } from './endpoints.js';
import { JOB_EVENTS, type JobEventType } from './event-types.js';

/** Retries of requests that may be repeated, as many as those of the SDK by default. */
const MAX_RETRIES = 2;

/** An answer without one of these statuses means that the provider has the API. */
const NO_API = [404, 405, 501];

const ALL_JOB_EVENTS = Object.keys(JOB_EVENTS) as JobEventType[];

/** What the endpoint gets, and what it is called. */
export interface SetUpWebhookOptions {
  /**
   * The events that the endpoint shall get, and no others.
   * @default all ends of batches and of fine-tuning jobs
   */
  readonly events?: readonly (JobEventType | (string & {}))[];
  /**
   * The name of a new endpoint, which the provider's dashboard shows.
   * @default 'temporal-llm-jobs'
   */
  readonly name?: string;
}

/** The endpoint at the provider. */
export interface WebhookSetUp {
  /** The id of the endpoint at the provider. */
  readonly id: string;
  /** The signing secret of a new endpoint. The provider tells it once: null for an endpoint that was there before. */
  readonly secret: string | null;
  /** Whether this call has created it. */
  readonly isCreated: boolean;
  /** Whether the events of an endpoint that was there before were changed. */
  readonly isUpdated: boolean;
}

/** The provider has no API for webhook endpoints. They may be made by hand. */
export class NoWebhookApiError extends Error {
  override readonly name = 'NoWebhookApiError';

  constructor(what: string, cause: unknown) {
    super(
      `the provider has no API for webhook endpoints (HTTP ${httpStatusOf(cause)} at ${PATH}): ${what} ` +
        `in its dashboard, and give the signing secret to the handler (OPENAI_WEBHOOK_SECRET)`,
      { cause },
    );
  }
}

/**
 * Makes the provider send the ends of jobs to an address. An endpoint of the same address is kept, and its events are
 * changed if they differ; without one, it is created. So it may be called at every deployment, by several processes at
 * the same time: one endpoint stays, and the process that created it has the secret. A create takes some seconds for
 * that reason.
 *
 * @example
 * ```ts
 * const { id, secret } = await setUpWebhook(openai, 'https://jobs.example.com/webhooks');
 * if (secret) console.log(`OPENAI_WEBHOOK_SECRET of the worker for ${id}: ${secret}`);
 * ```
 * @param openai a client of the project whose jobs are meant: endpoints belong to a project
 * @param url where the handler is reached from outside, by HTTPS
 * @throws NoWebhookApiError if the provider has no API for endpoints; WebhookSecretLostError if an endpoint was created
 *   and the answer with its secret was lost; and the errors of the client
 */
export async function setUpWebhook(
  openai: OpenAIClient,
  url: string,
  options: SetUpWebhookOptions = {},
): Promise<WebhookSetUp> {
  const { events = ALL_JOB_EVENTS, name = 'temporal-llm-jobs' } = options;
  if (!URL.canParse(url)) throw new TypeError('the address of a webhook must be a complete URL');
  const client = guardedClient(openai, MAX_RETRIES);
  const existing = await endpointOf(client, url, events);
  const { endpoint, secret } = existing
    ? { endpoint: existing, secret: null }
    : await createEndpoint(client, { name, url, event_types: events });
  const isCreated = secret !== null;
  const isUpdated = !isCreated && !isSameSet(endpoint.event_types ?? [], events);
  if (isUpdated) await client.post(`${PATH}/${endpoint.id}`, { body: { event_types: events } });
  return { id: endpoint.id, secret, isCreated, isUpdated };
}

/** The oldest endpoint of the address, which is the same one for all that ask. */
async function endpointOf(
  client: OpenAIClient,
  url: string,
  events: readonly string[],
): Promise<WebhookEndpoint | undefined> {
  try {
    const [oldest] = await endpointsOf(client, url);
    if (oldest === undefined || !isYoung(oldest)) return oldest;
    // Another process may have just made it, and may withdraw it for one that is older.
    await sleep(SETTLE_MS);
    return (await endpointsOf(client, url))[0];
  } catch (error) {
    if (!NO_API.includes(httpStatusOf(error) ?? 0)) throw error;
    throw new NoWebhookApiError(`create an endpoint for ${url} with the events ${events.join(', ')}`, error);
  }
}

const YOUNG_SECONDS = 60;

const isYoung = ({ created_at: createdAt }: WebhookEndpoint): boolean =>
  Math.abs(Date.now() / 1_000 - (createdAt ?? 0)) < YOUNG_SECONDS;

/** What the endpoint answered to a sample. */
export interface WebhookTest {
  /** The HTTP status with which the endpoint answered. */
  readonly statusCode: number;
  /** Whether that status is 2xx. A handler answers so for a sample if the secret is right. */
  readonly isAccepted: boolean;
}

/**
 * Has the provider send a sample of an event to an endpoint. Its job does not exist, so no run is woken.
 *
 * @param event the event of the sample; `batch.completed` by default
 * @throws NoWebhookApiError, and the errors of the client, also for an endpoint that does not answer
 */
export async function testWebhook(
  openai: OpenAIClient,
  id: string,
  event: JobEventType = 'batch.completed',
): Promise<WebhookTest> {
  const body = { event_type: event };
  const reply = await change(openai, id, 'test', body, `send a test to the endpoint ${id}`);
  const { status_code: statusCode } = z.object({ status_code: z.number() }).parse(reply);
  return { statusCode, isAccepted: statusCode >= 200 && statusCode < 300 };
}

/** What becomes of the old secret. */
export interface RotateWebhookSecretOptions {
  /**
   * Whether the old secret goes on to sign for 24 hours, beside the new one. Without it, every delivery is refused until
   * the handler knows the new one.
   * @default true
   */
  readonly keepOld?: boolean;
}

/**
 * Gives an endpoint a new signing secret. Give both to the handler, then the new one alone when a day has passed.
 *
 * @returns the new secret, which the provider tells once
 * @throws NoWebhookApiError, and the errors of the client
 */
export async function rotateWebhookSecret(
  openai: OpenAIClient,
  id: string,
  { keepOld = true }: RotateWebhookSecretOptions = {},
): Promise<{ readonly id: string; readonly secret: string }> {
  const body = { keep_old_secret_active_for_24_hours: keepOld };
  const reply = await change(openai, id, 'rotate_secret', body, `rotate the secret of the endpoint ${id}`);
  const rotated = newSecretSchema.parse(reply);
  return { id: rotated.id, secret: rotated.signing_secret };
}

/** Changes an endpoint once: an answer that was lost is not asked for again. */
async function change(
  openai: OpenAIClient,
  id: string,
  action: 'test' | 'rotate_secret',
  body: object,
  byHand: string,
): Promise<unknown> {
  if (!/^[\w-]{1,256}$/.test(id)) {
    throw new TypeError('the id of a webhook endpoint consists of letters, digits, _ and -');
  }
  try {
    return await guardedClient(openai).post(`${PATH}/${id}/${action}`, { body, maxRetries: 0 });
  } catch (error) {
    const isUnknownEndpoint = httpStatusOf(error) === 404 && /no such/i.test(String(error));
    if (isUnknownEndpoint || !NO_API.includes(httpStatusOf(error) ?? 0)) throw error;
    throw new NoWebhookApiError(byHand, error);
  }
}
