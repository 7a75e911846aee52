import { randomUUID } from 'node:crypto';
import { epochSeconds } from '../wire.js';
import type { WebhookEventType } from './event-types.js';

/** Something that happened to a job, as webhooks tell it. */
export interface WebhookEvent {
  readonly id: string;
  readonly type: WebhookEventType;
  readonly jobId: string;
  /** Epoch ms on the API's clock. */
  readonly at: number;
}

export function newEvent(type: WebhookEventType, jobId: string, at: number): WebhookEvent {
  return { id: `evt_${hex()}`, type, jobId, at };
}

/** The value of `webhook-id`, which all attempts of a delivery share. */
export const newDeliveryId = (): string => `wh_${hex()}`;

const hex = (): string => randomUUID().replaceAll('-', '');

/** The body of a delivery, which is thin: a receiver reads the job itself. */
export function eventBody({ id, type, jobId, at }: WebhookEvent): string {
  return JSON.stringify({ object: 'event', id, type, created_at: epochSeconds(at), data: { id: jobId } });
}
