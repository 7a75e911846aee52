/** For web servers: takes the webhooks that a provider sends when jobs end, and wakes their runs. */
export type { OpenAIClient } from './provider/openai-client.js';
export { WebhookSecretLostError } from './webhooks/create-endpoint.js';
export type { JobEventType } from './webhooks/event-types.js';
export type { DeliveryHandling, HandledDelivery } from './webhooks/handling.js';
export {
  NoWebhookApiError,
  rotateWebhookSecret,
  setUpWebhook,
  testWebhook,
  type RotateWebhookSecretOptions,
  type SetUpWebhookOptions,
  type WebhookSetUp,
  type WebhookTest,
} from './webhooks/set-up-webhook.js';
export { webhookHandler, type WebhookHandler, type WebhookHandlerOptions } from './webhooks/webhook-handler.js';
