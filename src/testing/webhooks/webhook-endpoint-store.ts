import { ApiError, checkLength, invalidType, invalidValue, missingParameter } from '../api-error.js';
import { requiredString, type JsonObject } from '../body-params.js';
import { hexId, randomFor } from '../random.js';
import { RecordStore } from '../record-store.js';
import { epochSeconds } from '../wire.js';
import { isEventType, WEBHOOK_EVENT_TYPES, type WebhookEventType } from './event-types.js';
import { newSecret } from './sign-delivery.js';

/** A webhook endpoint: where deliveries of some event types go. */
export interface WebhookEndpointRecord {
  readonly id: string;
  /** Epoch ms. */
  readonly createdAt: number;
  /** Epoch ms of the last change of the configuration or of the secret. */
  updatedAt: number;
  name: string;
  url: string;
  eventTypes: readonly WebhookEventType[];
  secret: string;
  /** The secret before the last rotation, which signs until a time in epoch ms. */
  previous: { readonly secret: string; readonly until: number } | null;
}

/** What can be changed of an endpoint. */
type Settings = Pick<WebhookEndpointRecord, 'name' | 'url' | 'eventTypes'>;

/** An endpoint as the API shows it. The secret itself is shown at its creation and rotation only. */
export interface WireWebhookEndpoint {
  readonly id: string;
  readonly object: 'webhook_endpoint';
  readonly created_at: number;
  readonly updated_at: number;
  readonly name: string;
  readonly url: string;
  readonly event_types: readonly string[];
  readonly signing_secret_hint: string;
  readonly signing_secret?: string;
}

const DAY_MS = 24 * 3_600_000;
const MAX_NAME_LENGTH = 256;
const MAX_URL_LENGTH = 2_048;

export class WebhookEndpointStore extends RecordStore<WebhookEndpointRecord, { readonly seed: number }> {
  /** @param secret @default a new one */
  create(settings: Settings, now: number, secret?: string): WebhookEndpointRecord {
    const number = this.nextNumber();
    return this.insert({
      ...settings,
      id: `whe_${hexId(32, randomFor(this.options.seed, 'webhook-endpoint', number))}`,
      createdAt: now,
      updatedAt: now,
      secret: secret ?? newSecret(),
      previous: null,
    });
  }

  /** Gives the endpoint a new secret. @param keepsOld whether the old one goes on to sign for a day */
  rotateSecret(record: WebhookEndpointRecord, keepsOld: boolean, now: number): void {
    record.previous = keepsOld ? { secret: record.secret, until: now + DAY_MS } : null;
    record.secret = newSecret();
    record.updatedAt = now;
  }

  delete(record: WebhookEndpointRecord): void {
    this.remove(record.id);
  }
}

/** The secrets that sign at `now`, the new one first. */
export function signingSecrets({ secret, previous }: WebhookEndpointRecord, now: number): string[] {
  return previous !== null && now < previous.until ? [secret, previous.secret] : [secret];
}

export function webhookEndpointObject(
  record: WebhookEndpointRecord,
  { showsSecret = false } = {},
): WireWebhookEndpoint {
  const { id, createdAt, updatedAt, name, url, eventTypes, secret } = record;
  return {
    id,
    object: 'webhook_endpoint',
    created_at: epochSeconds(createdAt),
    updated_at: epochSeconds(updatedAt),
    name,
    url,
    event_types: eventTypes,
    signing_secret_hint: `${secret.slice(0, 6)}…${secret.slice(-4)}`,
    ...(showsSecret && { signing_secret: secret }),
  };
}

/** Reads the body of a create. @throws the API's 400s */
export function readSettings(body: JsonObject): Settings {
  return { name: readName(body), url: readUrl(body), eventTypes: readEventTypes(body) };
}

/** Reads the body of an update, of which every field may be absent. @throws the API's 400s */
export function readChanges(body: JsonObject): Partial<Settings> {
  return {
    ...(body.name !== undefined && { name: readName(body) }),
    ...(body.url !== undefined && { url: readUrl(body) }),
    ...(body.event_types !== undefined && { eventTypes: readEventTypes(body) }),
  };
}

function readName(body: JsonObject): string {
  const name = requiredString(body, 'name');
  checkLength('name', name.length, MAX_NAME_LENGTH);
  return name;
}

/** The API takes HTTPS only. Here a server of this machine may have plain HTTP. */
function readUrl(body: JsonObject): string {
  const url = requiredString(body, 'url');
  checkLength('url', url.length, MAX_URL_LENGTH);
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isLocal = parsed?.protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(parsed.hostname);
  if (parsed?.protocol !== 'https:' && !isLocal) {
    throw new ApiError(400, "Invalid 'url': expected an HTTPS URL.", { param: 'url', code: 'invalid_value' });
  }
  return url;
}

/** Reads the event types of an endpoint. @throws the API's 400s */
function readEventTypes({ event_types: types }: JsonObject): WebhookEventType[] {
  if (types === undefined || types === null) throw missingParameter('event_types');
  if (!Array.isArray(types)) throw invalidType('event_types', 'an array', types);
  return types.map((type: unknown, index) => {
    if (isEventType(type)) return type;
    throw invalidValue(`event_types[${index}]`, type, WEBHOOK_EVENT_TYPES);
  });
}
