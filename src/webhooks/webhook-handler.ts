import type { Client } from '@temporalio/client';
import { guardedClient } from '../provider/guarded-client.js';
import type { OpenAIClient } from '../provider/openai-client.js';
import { STATUS_OF_HANDLING, type DeliveryHandling, type Handled, type HandledDelivery } from './handling.js';
import { HandledIds } from './handled-ids.js';
import { readBody, readHeaders } from './read-delivery.js';
import { Turns } from './turns.js';
import { checkedSecrets, isTimely, verifiedEvent } from './verify-delivery.js';
import { subjectOf, wakeOwnerOfJob } from './wake-owner-of-job.js';
import { within } from './within.js';

/** Whose webhooks are taken, and which runs they wake. */
export interface WebhookHandlerOptions {
  /** A client of the namespace whose runs are woken. Jobs of other namespaces and clusters are left alone. */
  readonly temporal: Client;
  /**
   * A client of the account, and of the project, that the webhooks come from: their jobs are read with it. Several
   * accounts need a handler each, at addresses of their own.
   */
  readonly openai: OpenAIClient;
  /**
   * The signing secret of the endpoint, `whsec_…`. While it is rotated, the new and the old one; a delivery that one of
   * them signed is accepted.
   */
  readonly secrets: string | readonly string[];
  /**
   * How far the timestamp of a delivery may be from the time here, in seconds, in either direction.
   * @default 300
   */
  readonly toleranceSeconds?: number;
  /**
   * Called after each request, for logs and metrics. What it throws is ignored.
   * @default nothing is called
   */
  readonly onDelivery?: (delivery: HandledDelivery) => void | Promise<void>;
}

/** Answers requests of the provider, in any framework that has the `Request` and `Response` of the web. */
export interface WebhookHandler {
  /** Never rejects. */
  (request: Request): Promise<Response>;
  /** How many requests were handled in each way since the handler was made. */
  readonly counts: Readonly<Record<DeliveryHandling, number>>;
}

const DEFAULT_TOLERANCE_SECONDS = 300;

/** Verified deliveries that are handled at the same time. Thousands of jobs may end in the same second. */
const MAX_AT_ONCE = 64;

/**
 * How long a verified delivery may take, with the wait for its turn. Providers give up after some 15 s and more; one that
 * is told 503 delivers again just the same, and does not hold a connection meanwhile.
 */
const ANSWER_MS = 10_000;

/**
 * A handler for the webhooks that a provider sends when a job ends. It verifies the signature, reads the job, and wakes
 * the run that owns it, which then reads the job itself: a forged, lost, repeated or late delivery changes no result.
 * Without webhooks, runs find the end of their job by polling.
 *
 * The answer is 2xx for whatever needs no second delivery, also where nobody here owns the job; 4xx for what is not
 * verified or not readable; 503 if the provider or Temporal does not answer, so that the provider delivers it again.
 *
 * @example
 * ```ts
 * import { Hono } from 'hono';
 *
 * const handler = webhookHandler({ temporal: client, openai, secrets: process.env.OPENAI_WEBHOOK_SECRET! });
 * const app = new Hono();
 * app.post('/webhooks', (context) => handler(context.req.raw)); // the body must not have been read
 * ```
 * @throws TypeError if a secret is missing or not complete, or the tolerance is no positive number
 */
export function webhookHandler(options: WebhookHandlerOptions): WebhookHandler {
  const counts = noCounts();
  const receiver = new Receiver(options);
  const handler = async (request: Request): Promise<Response> => {
    const handled = await receiver.handle(request);
    counts[handled.handling] += 1;
    void tell(options.onDelivery, handled);
    return answer(handled.handling);
  };
  return Object.assign(handler, { counts });
}

class Receiver {
  readonly #options: WebhookHandlerOptions;
  readonly #openai: ReturnType<typeof guardedClient>;
  readonly #secrets: readonly string[];
  readonly #toleranceSeconds: number;
  readonly #ids = new HandledIds<Handled>();
  readonly #turns = new Turns(MAX_AT_ONCE);

  constructor(options: WebhookHandlerOptions) {
    const { openai, secrets, toleranceSeconds = DEFAULT_TOLERANCE_SECONDS } = options;
    if (!(toleranceSeconds > 0)) throw new TypeError('toleranceSeconds must be a positive number');
    this.#options = options;
    this.#openai = guardedClient(openai);
    this.#secrets = checkedSecrets(secrets);
    this.#toleranceSeconds = toleranceSeconds;
  }

  async handle(request: Request): Promise<Handled> {
    try {
      return await this.#verified(request);
    } catch (error) {
      return { handling: 'unavailable', error };
    }
  }

  /** What costs least is checked first. */
  async #verified(request: Request): Promise<Handled> {
    if (request.method !== 'POST') return { handling: 'wrongMethod' };
    const headers = readHeaders(request.headers);
    if (headers === null) return { handling: 'malformed' };
    const { id } = headers;
    if (!isTimely(headers, this.#toleranceSeconds)) return { handling: 'stale', id };
    const body = await readBody(request);
    if (typeof body === 'string') return { handling: body, id };
    const rules = { secrets: this.#secrets, toleranceSeconds: this.#toleranceSeconds };
    const verified = await verifiedEvent(this.#openai, headers, body.text, rules);
    if (typeof verified === 'string') return { handling: verified, id };
    return { ...(await this.#once(id, verified.event)), id };
  }

  /** A job that the provider does not know is looked for again if the delivery is repeated: it may only have been late. */
  async #once(id: string, event: unknown): Promise<Handled> {
    const accounts = { temporal: this.#options.temporal, openai: this.#openai };
    const deadline = performance.now() + ANSWER_MS;
    const wake = () => {
      // Its sender has been told to deliver it again.
      if (performance.now() >= deadline) throw new Error('the turn of the delivery came too late');
      return wakeOwnerOfJob(accounts, event);
    };
    const once = () =>
      this.#ids.once(id, async () => {
        const result = await this.#turns.take(async () => wake());
        return { result, isDone: isAccepted(result) && result.handling !== 'unknownJob' };
      });
    try {
      return (await within(ANSWER_MS, 'the webhook handler', once)) ?? { handling: 'duplicate' };
    } catch (error) {
      return { ...subjectOf(event), handling: 'unavailable', error };
    }
  }
}

const isAccepted = ({ handling }: Handled): boolean => STATUS_OF_HANDLING[handling] < 300;

function noCounts(): Record<DeliveryHandling, number> {
  const none = Object.keys(STATUS_OF_HANDLING).map((handling) => [handling, 0] as const);
  return Object.fromEntries(none) as Record<DeliveryHandling, number>;
}

function answer(handling: DeliveryHandling): Response {
  const headers = { 'content-type': 'text/plain', ...(handling === 'wrongMethod' && { allow: 'POST' }) };
  return new Response(handling, { status: STATUS_OF_HANDLING[handling], headers });
}

/** A log that fails must not make the provider deliver again. */
async function tell(onDelivery: WebhookHandlerOptions['onDelivery'], handled: Handled): Promise<void> {
  try {
    await onDelivery?.({ id: null, type: null, jobId: null, workflowId: null, error: null, ...handled });
  } catch {
    // What the user's own function throws is theirs.
  }
}
