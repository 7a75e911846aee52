import { waitInRealTime, type Clock } from '../clock.js';
import { DEFAULT_WEBHOOK_BACKOFF_MS, Delivery, type WebhookDelivery } from './delivery.js';
import { WEBHOOK_EVENT_TYPES, type WebhookEventType } from './event-types.js';
import { JobEnds, type Jobs } from './job-ends.js';
import {
  signingSecrets,
  webhookEndpointObject,
  WebhookEndpointStore,
  type WebhookEndpointRecord,
  type WireWebhookEndpoint,
} from './webhook-endpoint-store.js';
import { newEvent } from './webhook-event.js';
import { WebhookFaultBook } from './webhook-fault.js';

/** How often a clock that cannot wait is read, in real time. */
const CLOCK_READ_MS = 100;

/** An endpoint that is there from the start. */
export interface LocalWebhook {
  readonly url: string;
  /** @default a new one */
  readonly secret?: string;
  /** @default every type */
  readonly eventTypes?: readonly WebhookEventType[];
}

/** What webhooks watch. */
interface WatchedApi extends Jobs {
  /** Advances all jobs to the current time and runs `work`. */
  readonly atCurrentTime: <T>(work: (now: number) => T) => Promise<T>;
}

interface WebhooksOptions {
  readonly clock: Clock;
  readonly seed: number;
  /** Waits between the attempts of a delivery. @default DEFAULT_WEBHOOK_BACKOFF_MS */
  readonly backoffMs: readonly number[] | undefined;
}

/**
 * The webhooks of the local API. When a job ends on the clock, each endpoint for that event gets a signed delivery,
 * which is tried again for up to 72 h of the clock.
 */
export class Webhooks {
  /** Faults of single deliveries. */
  readonly faults: WebhookFaultBook;
  readonly endpoints: WebhookEndpointStore;
  readonly #options: WebhooksOptions;
  readonly #ends = new JobEnds();
  readonly #deliveries: Delivery[] = [];
  /** Those of them that are neither delivered nor given up. */
  readonly #waiting = new Set<Delivery>();
  readonly #closing = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  #api: WatchedApi | undefined;
  #rest = new AbortController();

  constructor(options: WebhooksOptions) {
    this.#options = options;
    this.faults = new WebhookFaultBook(options.seed);
    this.endpoints = new WebhookEndpointStore({ seed: options.seed });
  }

  /** All deliveries so far, oldest first. */
  get deliveries(): readonly WebhookDelivery[] {
    return this.#deliveries;
  }

  /** Creates an endpoint without a request. @returns it with its secret */
  async add({ url, secret, eventTypes = WEBHOOK_EVENT_TYPES }: LocalWebhook): Promise<WireWebhookEndpoint> {
    const now = await this.#options.clock.now();
    const record = this.endpoints.create({ name: 'local', url, eventTypes }, now, secret);
    this.onChange();
    return webhookEndpointObject(record, { showsSecret: true });
  }

  /** Sends what is due on the clock, and waits until all of it is answered. */
  async sendDue(): Promise<void> {
    while (true) {
      await this.#sendDue();
      if (this.#underWay.size === 0) return;
      await Promise.all(this.#underWay);
    }
  }

  /** Sends an event to one endpoint at once and only once. @returns the status; null where there is no answer */
  async sendSample(record: WebhookEndpointRecord, type: WebhookEventType, jobId: string): Promise<number | null> {
    const now = await this.#options.clock.now();
    const delivery = new Delivery(newEvent(type, jobId, now), record.id, now);
    return delivery.send(record.url, signingSecrets(record, now), now, this.#closing.signal);
  }

  /** Begins to watch the jobs. */
  start(api: WatchedApi): void {
    this.#api = api;
    void this.#run();
  }

  /** To be called when a job or an endpoint may have changed: what is due next may be due earlier. */
  onChange(): void {
    this.#rest.abort();
  }

  /** Breaks off what is under way. */
  close(): void {
    this.#closing.abort();
    this.#rest.abort();
  }

  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      this.#rest = new AbortController();
      const { signal } = this.#rest;
      // A clock that cannot be read at the moment, such as that of a server that is gone, is read again later.
      const wait = this.endpoints.list().length === 0 ? Infinity : await this.#sendDue().catch(() => CLOCK_READ_MS);
      await this.#wait(wait, signal);
    }
  }

  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    if (signal.aborted) return;
    if (ms === Infinity) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    } else if (clock.wait === undefined) {
      await waitInRealTime(CLOCK_READ_MS, signal);
    } else {
      await clock.wait(ms, signal);
    }
  }

  /** Begins all attempts that are due. @returns the ms on the clock until something may be due */
  async #sendDue(): Promise<number> {
    const { now, next } = await this.#api!.atCurrentTime((time) => ({ now: time, next: this.#takeEnds(time) }));
    let due = next;
    for (const delivery of this.#waiting) {
      if (delivery.dueAt <= now) this.#attempt(delivery, now);
      due = Math.min(due, delivery.dueAt);
    }
    return Math.max(1, due - now);
  }

  /** Makes the deliveries of all jobs that have ended. @returns epoch ms of the next transition of a job */
  #takeEnds(now: number): number {
    const { ends, next } = this.#ends.since(this.#api!, now);
    for (const { type, jobId, at } of ends) {
      const event = newEvent(type, jobId, at);
      const endpoints = this.endpoints.list().filter(({ eventTypes, createdAt }) => {
        return eventTypes.includes(type) && createdAt <= at;
      });
      for (const { id } of endpoints) {
        const fault = this.faults.take(event, id);
        const delivery = new Delivery(event, id, now, fault);
        this.#keep(delivery);
        const copies = fault?.kind === 'duplicate' ? (fault.copies ?? 2) : 1;
        for (let copy = 1; copy < copies; copy += 1) this.#keep(new Delivery(event, id, now, fault, delivery.id));
      }
    }
    return next;
  }

  #keep(delivery: Delivery): void {
    this.#deliveries.push(delivery);
    if (delivery.state === 'waiting') this.#waiting.add(delivery);
  }

  #attempt(delivery: Delivery, now: number): void {
    const endpoint = this.endpoints.find(delivery.endpointId);
    if (endpoint === undefined) {
      delivery.state = 'dropped';
      this.#waiting.delete(delivery);
      return;
    }
    delivery.isHeld = false;
    const attempt = this.#sendAndSettle(delivery, endpoint, now).finally(() => {
      this.#underWay.delete(attempt);
      this.onChange();
    });
    this.#underWay.add(attempt);
  }

  async #sendAndSettle(delivery: Delivery, endpoint: WebhookEndpointRecord, now: number): Promise<void> {
    const status = await delivery.send(endpoint.url, signingSecrets(endpoint, now), now, this.#closing.signal);
    const later = await this.#options.clock.now();
    delivery.settle(status, later, this.#options.backoffMs ?? DEFAULT_WEBHOOK_BACKOFF_MS);
    if (delivery.state !== 'waiting') this.#waiting.delete(delivery);
    for (const other of this.#waiting) {
      if (other.isHeld && other.endpointId === delivery.endpointId) other.dueAt = later;
    }
  }
}
