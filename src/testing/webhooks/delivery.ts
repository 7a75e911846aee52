import type { WebhookFaultEffect } from './webhook-fault.js';
import { eventBody, newDeliveryId, type WebhookEvent } from './webhook-event.js';
import { signatureHeader } from './sign-delivery.js';

/** One try to send a delivery. */
export interface DeliveryAttempt {
  /** Epoch ms on the API's clock. */
  readonly at: number;
  /** The status that the endpoint answered; null where it did not. */
  readonly status: number | null;
  /** The kind of the fault that the attempt had. */
  readonly fault?: 'badSignature' | 'staleTimestamp';
}

/** One event on its way to one endpoint, with all attempts so far. */
export interface WebhookDelivery {
  /** The header `webhook-id`. Copies of a delivery share it. */
  readonly id: string;
  readonly endpointId: string;
  readonly eventId: string;
  readonly type: string;
  readonly jobId: string;
  readonly state: 'waiting' | 'delivered' | 'dropped' | 'givenUp';
  readonly attempts: readonly DeliveryAttempt[];
}

/** The waits between attempts, in ms on the API's clock: those that Standard Webhooks proposes. The last is repeated. */
export const DEFAULT_WEBHOOK_BACKOFF_MS: readonly number[] = [
  5_000,
  5 * 60_000,
  30 * 60_000,
  2 * 3_600_000,
  5 * 3_600_000,
  10 * 3_600_000,
  14 * 3_600_000,
  20 * 3_600_000,
];

/** After this long on the API's clock, a delivery is given up, as in the guide of the API. */
const GIVE_UP_MS = 72 * 3_600_000;

/** How long an endpoint may take to answer, in real time. The API does not document its own limit. */
const ANSWER_MS = 15_000;

const WRONG_SECRET = 'whsec_bm90IHRoZSBzZWNyZXQgb2YgdGhpcyBlbmRwb2ludA==';

/** A delivery that is sent until it is accepted or too old. */
export class Delivery implements WebhookDelivery {
  readonly id: string;
  readonly endpointId: string;
  readonly event: WebhookEvent;
  readonly attempts: DeliveryAttempt[] = [];
  state: WebhookDelivery['state'] = 'waiting';
  /** Epoch ms of the next attempt; infinite while one is under way. */
  dueAt: number;
  /** Whether it waits for a later event to be sent. */
  isHeld = false;
  readonly #fault: WebhookFaultEffect | undefined;

  constructor(event: WebhookEvent, endpointId: string, now: number, fault?: WebhookFaultEffect, id = newDeliveryId()) {
    this.id = id;
    this.endpointId = endpointId;
    this.event = event;
    this.#fault = fault;
    this.dueAt = now;
    if (fault?.kind === 'drop') this.state = 'dropped';
    if (fault?.kind === 'delay') this.dueAt = now + fault.ms;
    if (fault?.kind === 'reorder') {
      this.isHeld = true;
      this.dueAt = now + (fault.atMostMs ?? 600_000);
    }
  }

  get eventId(): string {
    return this.event.id;
  }

  get type(): string {
    return this.event.type;
  }

  get jobId(): string {
    return this.event.jobId;
  }

  /** Sends the delivery once, without waiting for a later time. @param secrets those that sign */
  async send(url: string, secrets: readonly string[], now: number, signal: AbortSignal): Promise<number | null> {
    this.dueAt = Infinity;
    const fault = this.#attemptFault();
    const status = await post(url, {
      id: this.id,
      timestamp: Math.floor(Date.now() / 1_000) - (fault?.kind === 'staleTimestamp' ? (fault.seconds ?? 3_600) : 0),
      body: eventBody(this.event),
      secrets: fault?.kind === 'badSignature' ? [WRONG_SECRET] : secrets,
      signal,
    });
    this.attempts.push({ at: now, status, ...(fault && { fault: fault.kind }) });
    return status;
  }

  /** Takes the answer of an attempt: the delivery has arrived, is due again, or is given up. */
  settle(status: number | null, now: number, backoffMs: readonly number[]): void {
    if (status !== null && status >= 200 && status < 300) {
      this.state = 'delivered';
      return;
    }
    const wait = backoffMs[Math.min(this.attempts.length, backoffMs.length) - 1] ?? Infinity;
    this.dueAt = now + wait;
    if (this.dueAt - this.event.at > GIVE_UP_MS) this.state = 'givenUp';
  }

  #attemptFault() {
    const fault = this.#fault;
    if (fault?.kind !== 'badSignature' && fault?.kind !== 'staleTimestamp') return undefined;
    return this.attempts.length < (fault.attempts ?? 1) ? fault : undefined;
  }
}

interface SentDelivery {
  readonly id: string;
  /** Epoch seconds of the wall clock, which the receiver compares it with, whatever the API's clock shows. */
  readonly timestamp: number;
  readonly body: string;
  readonly secrets: readonly string[];
  readonly signal: AbortSignal;
}

/** Posts a delivery. Redirects are not followed. @returns the status; null where there is no answer */
async function post(url: string, { id, timestamp, body, secrets, signal }: SentDelivery): Promise<number | null> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
      headers: {
        'content-type': 'application/json',
        'user-agent': 'OpenAI/1.0 (local API)',
        'webhook-id': id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': signatureHeader({ id, timestamp, body }, secrets),
      },
      body,
    });
    await response.body?.cancel();
    return response.status;
  } catch {
    return null;
  }
}
