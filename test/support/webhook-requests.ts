/** Webhooks as a provider sends them, and as others might. */
import { createHmac, randomUUID } from 'node:crypto';

export const SECRET = 'whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cywgMzIgYnl0ZXM=';
export const OTHER_SECRET = 'whsec_b3RoZXIgb2YgdGhlIHRlc3RzLCAzMiBieXRlcyE=';

export interface WebhookParts {
  readonly id?: string;
  /** @default now */
  readonly timestamp?: number | string;
  /** Sent as it is; what is signed is its text. */
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly secret?: string;
  /** Further headers, or others in place of the right ones. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The body of an event. */
export function eventOf(jobId: unknown, type: unknown = 'batch.completed'): string {
  const created = Math.floor(Date.now() / 1_000);
  return JSON.stringify({ object: 'event', id: `evt_${randomUUID()}`, type, created_at: created, data: { id: jobId } });
}

/** A signature over what a webhook has. */
export function signed(id: string, timestamp: number | string, body: string | Uint8Array, secret = SECRET): string {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`;
}

/** A webhook, signed with the secret unless its headers say otherwise. */
export function webhookRequest({ body = eventOf('batch_1'), secret, headers = {}, ...parts }: WebhookParts = {}) {
  const { id = `wh_${randomUUID()}`, timestamp = Math.floor(Date.now() / 1_000) } = parts;
  return new Request('http://127.0.0.1/webhooks', {
    method: 'POST',
    headers: {
      'webhook-id': id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': signed(id, timestamp, body, secret),
      ...headers,
    },
    body,
  });
}
