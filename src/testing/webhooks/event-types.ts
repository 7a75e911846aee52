import type { BatchStatus } from '../batches/batch-timeline.js';
import type { FineTuningStatus } from '../fine-tuning/fine-tuning-timeline.js';

/** The event types of the API's `POST /webhook_endpoints`, as openai 7.57 lists them. */
export const WEBHOOK_EVENT_TYPES = [
  'batch.completed',
  'batch.failed',
  'batch.expired',
  'batch.cancelled',
  'response.completed',
  'response.failed',
  'response.cancelled',
  'response.incomplete',
  'eval.run.succeeded',
  'eval.run.failed',
  'eval.run.canceled',
  'fine_tuning.job.succeeded',
  'fine_tuning.job.failed',
  'fine_tuning.job.cancelled',
  'realtime.call.incoming',
  'video.completed',
  'video.failed',
  'agent.environment.ready',
  'agent.environment.failed',
  'agent.environment.suspended',
  'agent.environment.expired',
  'agent.session.created',
  'agent.session.action_required',
  'agent.session.in_progress',
  'agent.session.idle',
  'agent.session.failed',
  'safety.alert.created',
] as const;
/** The type of an event, as the API names it. */
export type WebhookEventType = (typeof WEBHOOK_EVENT_TYPES)[number];

/** The event types of jobs, the only ones that the local API sends by itself. */
export type JobEventType = Extract<WebhookEventType, `batch.${string}` | `fine_tuning.${string}`>;

export const isEventType = (value: unknown): value is WebhookEventType =>
  (WEBHOOK_EVENT_TYPES as readonly unknown[]).includes(value);

/** The event of a batch that enters a status; undefined for a status that is no end. */
export function batchEvent(status: BatchStatus): JobEventType | undefined {
  const type = `batch.${status}`;
  return isEventType(type) ? (type as JobEventType) : undefined;
}

/** The event of a fine-tuning job that enters a status; undefined for a status that is no end. */
export function fineTuningEvent(status: FineTuningStatus): JobEventType | undefined {
  const type = `fine_tuning.job.${status}`;
  return isEventType(type) ? (type as JobEventType) : undefined;
}
