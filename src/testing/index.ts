/**
 * `temporal-llm-jobs/testing`: a local API that simulates OpenAI's files, uploads, batches and fine-tuning endpoints,
 * and sends their webhooks, with a clock, a seed, scenarios for jobs and faults for requests and deliveries.
 *
 * It shares no code with the library, so that a mistake of the library cannot hide in both: limits, statuses and line
 * formats are repeated here on purpose.
 */
export { DEFAULT_API_KEY, LocalApi, type LocalApiOptions } from './local-api.js';
export { DEFAULT_LIMITS, type LocalApiLimits } from './limits.js';
export { clockFrom, ManualClock, realClock, scaledClock, type Clock } from './clock.js';
export { FaultBook, type FaultHandle, type FaultRule } from './faults/fault-book.js';
export {
  FAULT_EFFECTS,
  FAULT_NAMES,
  type FaultEffect,
  type FaultName,
  type StatusEffect,
} from './faults/fault-effect.js';
export { OPERATIONS, type ApiCall, type Operation } from './server/endpoint.js';
export type { LoggedRequest } from './server/request.js';
export type { CreatedBatch, CreatedFineTuningJob, ScenarioHandle, Scenarios } from './scenarios.js';
export {
  BATCH_SCENARIO_NAMES,
  BATCH_SCENARIOS,
  type BatchScenario,
  type BatchScenarioName,
} from './batches/batch-scenario.js';
export { DEFAULT_BATCH_TIMING, type BatchTiming } from './batches/batch-timing.js';
export { LINE_FAULTS, type LineFault } from './batches/line-fault.js';
export { DEFAULT_FINE_TUNING_TIMING, type FineTuningTiming } from './fine-tuning/fine-tuning-timing.js';
export {
  FINE_TUNING_SCENARIO_NAMES,
  FINE_TUNING_SCENARIOS,
  type FineTuningScenario,
  type FineTuningScenarioName,
} from './fine-tuning/fine-tuning-scenario.js';
export type { WireBatch, WireCheckpoint, WireFile, WireFineTuningEvent, WireFineTuningJob } from './wire.js';
export { DEFAULT_WEBHOOK_BACKOFF_MS, type DeliveryAttempt, type WebhookDelivery } from './webhooks/delivery.js';
export { WEBHOOK_EVENT_TYPES, type WebhookEventType } from './webhooks/event-types.js';
export type { WireWebhookEndpoint } from './webhooks/webhook-endpoint-store.js';
export {
  WEBHOOK_FAULTS,
  WebhookFaultBook,
  type WebhookFaultEffect,
  type WebhookFaultName,
  type WebhookFaultRule,
} from './webhooks/webhook-fault.js';
export { Webhooks, type LocalWebhook } from './webhooks/webhooks.js';
