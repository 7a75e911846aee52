/** The small web server of the ready-made worker: `POST /webhooks[/<account>]`, and `GET /healthz` for what watches it. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { DEFAULT_ACCOUNT } from '../config/schema.js';
import { STATUS_OF_HANDLING, type DeliveryHandling, type HandledDelivery } from '../webhooks/handling.js';
import { webhookHandler, type WebhookHandlerOptions } from '../webhooks/webhook-handler.js';

export interface WebhookServerConfig {
  /** 0: any free port. */
  readonly port: number;
  readonly host: string;
}

/** An account whose webhooks are taken. */
export interface WebhookAccount extends Pick<WebhookHandlerOptions, 'openai' | 'secrets'> {
  readonly name: string;
}

export interface WebhookServer {
  /** Where webhooks are taken, an address for each account, as seen from this machine. */
  readonly urls: readonly string[];
  /** Answers what has arrived, and takes no more. */
  readonly stop: () => Promise<void>;
}

const PATH = '/webhooks';
/** Each account has its own secrets and jobs, hence an address of its own. */
const pathOf = (account: string): string => (account === DEFAULT_ACCOUNT ? PATH : `${PATH}/${account}`);
/** A delivery is small: it has arrived within this time or never will. */
const REQUEST_MS = 15_000;
/** How long deliveries that are being handled may keep the worker from ending. */
const DRAIN_MS = 10_000;
/** Anybody can send what is refused, so a warning comes once in this time, with the numbers so far. */
const WARN_EVERY_MS = 60_000;

type Options = Pick<WebhookHandlerOptions, 'temporal'> & {
  readonly accounts: readonly WebhookAccount[];
  /** Takes a warning that may contain what the provider or Temporal said. */
  readonly warn: (message: string) => void;
};

/** @throws Error that names the variable, if the port cannot be used */
export async function startWebhookServer(
  { port, host }: WebhookServerConfig,
  { warn, temporal, accounts }: Options,
): Promise<WebhookServer> {
  const app = new Hono();
  for (const { name, openai, secrets } of accounts) {
    const onDelivery = warnSometimes(warn, () => handler.counts);
    const handler = webhookHandler({ temporal, openai, secrets, onDelivery });
    app.all(pathOf(name), (context) => handler(context.req.raw));
  }
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
    const message = `cannot listen for webhooks (see webhooks, LLM_JOBS_WEBHOOK_PORT, LLM_JOBS_WEBHOOK_HOST): ${reason}`;
    throw new Error(message, { cause: error });
  }
  const { port: boundPort } = server.address() as AddressInfo;
  const origin = `http://${host.includes(':') ? `[${host}]` : host}:${boundPort}`;
  return {
    urls: accounts.map(({ name }) => origin + pathOf(name)),
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
