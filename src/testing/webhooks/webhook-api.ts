/** `/webhook_endpoints` of the API, as openai 7.19 and later speak it. */
import { ApiError, invalidType, invalidValue, notFoundFor } from '../api-error.js';
import { jsonEndpoint, type ApiState } from '../api-state.js';
import { readObject, requiredString } from '../body-params.js';
import { hexId, randomFor } from '../random.js';
import type { Endpoint, ServedCall } from '../server/endpoint.js';
import { pageOf, readPageQuery, type ListPage } from '../server/paging.js';
import { isEventType, WEBHOOK_EVENT_TYPES } from './event-types.js';
import {
  readChanges,
  readSettings,
  webhookEndpointObject,
  type WebhookEndpointRecord,
  type WireWebhookEndpoint,
} from './webhook-endpoint-store.js';

const PATH = '/v1/webhook_endpoints';
const ONE = `${PATH}/:id`;

export function webhookApi(state: ApiState): Endpoint[] {
  return [
    jsonEndpoint(state, { operation: 'webhooks.create', method: 'POST', path: PATH }, create),
    jsonEndpoint(state, { operation: 'webhooks.list', method: 'GET', path: PATH }, list),
    jsonEndpoint(state, { operation: 'webhooks.retrieve', method: 'GET', path: ONE }, retrieve),
    jsonEndpoint(state, { operation: 'webhooks.update', method: 'POST', path: ONE }, update),
    jsonEndpoint(state, { operation: 'webhooks.delete', method: 'DELETE', path: ONE }, remove),
    jsonEndpoint(
      state,
      { operation: 'webhooks.rotateSecret', method: 'POST', path: `${ONE}/rotate_secret` },
      rotateSecret,
    ),
    // Not alone: the receiver of the sample may ask for the job before it answers.
    {
      operation: 'webhooks.test',
      method: 'POST',
      path: `${ONE}/test`,
      handle: async (call) => ({ json: await sendSample(state, call) }),
    },
    jsonEndpoint(state, { operation: 'webhooks.eventTypes', method: 'GET', path: '/v1/webhook_event_types' }, () => ({
      object: 'list',
      data: WEBHOOK_EVENT_TYPES,
    })),
  ];
}

function find({ webhooks }: ApiState, call: ServedCall): WebhookEndpointRecord {
  const record = webhooks.endpoints.find(call.id ?? '');
  if (record === undefined) throw notFoundFor(call);
  return record;
}

function create({ webhooks }: ApiState, call: ServedCall, now: number): WireWebhookEndpoint {
  const record = webhooks.endpoints.create(readSettings(readObject(call.body)), now);
  return webhookEndpointObject(record, { showsSecret: true });
}

function list({ webhooks }: ApiState, call: ServedCall): ListPage<WireWebhookEndpoint> {
  const query = readPageQuery(call, { defaultLimit: 20, maxLimit: 100 });
  const shown = webhooks.endpoints.list().map((record) => webhookEndpointObject(record));
  return pageOf(shown, query);
}

function retrieve(state: ApiState, call: ServedCall): WireWebhookEndpoint {
  return webhookEndpointObject(find(state, call));
}

/** An update that changes nothing leaves `updated_at` as it is. */
function update(state: ApiState, call: ServedCall, now: number): WireWebhookEndpoint {
  const record = find(state, call);
  const before = JSON.stringify(record);
  Object.assign(record, readChanges(readObject(call.body)));
  if (JSON.stringify(record) !== before) record.updatedAt = now;
  return webhookEndpointObject(record);
}

function remove(state: ApiState, call: ServedCall): unknown {
  const record = find(state, call);
  state.webhooks.endpoints.delete(record);
  return { id: record.id, object: 'webhook_endpoint.deleted', deleted: true };
}

function rotateSecret(state: ApiState, call: ServedCall, now: number): WireWebhookEndpoint {
  const record = find(state, call);
  const { keep_old_secret_active_for_24_hours: keeps = false } = readObject(call.body);
  if (typeof keeps !== 'boolean') throw invalidType('keep_old_secret_active_for_24_hours', 'a boolean', keeps);
  state.webhooks.endpoints.rotateSecret(record, keeps, now);
  return webhookEndpointObject(record, { showsSecret: true });
}

/** Sends a sample of an event, whose job does not exist. */
async function sendSample(state: ApiState, call: ServedCall): Promise<unknown> {
  const record = find(state, call);
  const type = requiredString(readObject(call.body), 'event_type');
  if (!isEventType(type)) throw invalidValue('event_type', type, WEBHOOK_EVENT_TYPES);
  const prefix = type.startsWith('batch.') ? 'batch_' : 'ftjob-';
  const jobId = `${prefix}${hexId(32, randomFor(state.seed, 'sample', record.id, type))}`;
  const status = await state.webhooks.sendSample(record, type, jobId);
  // What the API answers here is not documented.
  if (status === null) throw new ApiError(400, `The webhook endpoint ${record.id} did not answer.`, { param: 'url' });
  return {
    object: 'webhook_endpoint.test',
    webhook_endpoint_id: record.id,
    event_type: type,
    status_code: status,
    success: true,
  };
}
