/** The small web server of the ready-made worker: `POST /webhooks`, and `GET /healthz` for what watches it. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { STATUS_OF_HANDLING, type DeliveryHandling, type HandledDelivery } from '../webhooks/handling.js';
import { webhookHandler, type WebhookHandlerOptions } from '../webhooks/webhook-handler.js';

export interface WebhookServerConfig {
  /** 0: any free port. */
  readonly port: number;
  readonly host: string;
  readonly secrets: readonly string[];
}

export interface WebhookServer {
  /** Where webhooks are taken, as seen from this machine. */
  readonly url: string;
  /** Answers what has arrived, and takes no more. */
  readonly stop: () => Promise<void>;
}

const PATH = '/webhooks';
/** A delivery is small: it has arrived within this time or never will. */
const REQUEST_MS = 15_000;
/** How long deliveries that are being handled may keep the worker from ending. */
const DRAIN_MS = 10_000;
/** Anybody can send what is refused, so a warning comes once in this time, with the numbers so far. */
const WARN_EVERY_MS = 60_000;

type Options = Pick<WebhookHandlerOptions, 'temporal' | 'openai'> & {
  /** Takes a warning that may contain what the provider or Temporal said. */
  readonly warn: (message: string) => void;
};

/** @throws Error that names the variable, if the port cannot be used */
export async function startWebhookServer(
  { port, host, secrets }: WebhookServerConfig,
  { warn, ...accounts }: Options,
): Promise<WebhookServer> {
  const handler = webhookHandler({ ...accounts, secrets, onDelivery: warnSometimes(warn, () => handler.counts) });
  const app = new Hono();
  app.all(PATH, (context) => handler(context.req.raw));
  app.get('/healthz', (context) => context.text('ok'));
  // The global `Request` and `Response` stay as they are: the worker's own requests use them.
  const server = createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false });
  if ('requestTimeout' in server) server.requestTimeout = REQUEST_MS;
  try {
    const listening = once(server, 'listening');
    server.listen(port, host);
    await listening;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `cannot listen for webhooks (see LLM_JOBS_WEBHOOK_PORT and LLM_JOBS_WEBHOOK_HOST): ${reason}`;
    throw new Error(message, { cause: error });
  }
  const { port: boundPort } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${boundPort}${PATH}`,
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      if (!('closeAllConnections' in server)) return;
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
      await closed;
      clearTimeout(timer);
    },
  };
}

/** Warns of deliveries that were not accepted, without letting those who send them fill the log. */
function warnSometimes(
  warn: (message: string) => void,
  countsSoFar: () => Readonly<Record<DeliveryHandling, number>>,
): (delivery: HandledDelivery) => void {
  let warnedAt = -Infinity;
  return ({ handling, error }) => {
    const isAccepted = STATUS_OF_HANDLING[handling] < 300;
    if (isAccepted || performance.now() - warnedAt < WARN_EVERY_MS) return;
    warnedAt = performance.now();
    const counts = Object.entries(countsSoFar()).filter(([, count]) => count > 0);
    const soFar = counts.map(([name, count]) => `${name} ${count}`).join(', ');
    const reason = error instanceof Error ? ` (${error.message})` : '';
    warn(`a webhook was not accepted: ${handling}${reason}; so far: ${soFar}`);
  };
}
