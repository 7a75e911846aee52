/** The local API of `bench:waiting` in a process of its own: batches of very different lengths, and their ends by the ms. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { LocalApi } from '../../src/testing/index.js';

const { values } = parseArgs({
  options: {
    /** Length of the longest batch, in real ms. */
    longest: { type: 'string', default: '60000' },
    'webhook-url': { type: 'string' },
    'webhook-secret': { type: 'string' },
  },
});
const longestMs = Number(values.longest);
/** Batches end between a third of the longest time and all of it, so that ends do not come in a burst. */
const JITTER = 0.5;

const api = await LocalApi.start({
  batches: {
    validatingMs: longestMs / 100,
    inProgressMs: (longestMs * 0.96) / (1 + JITTER),
    finalizingMs: longestMs / 100,
    expiresAfterMs: longestMs * 1.04 + 1_000,
    jitter: JITTER,
  },
  limits: { batchesPerHour: 1_000_000, enqueuedTokens: Infinity },
});

/** The API's own deliveries tell the ends by the ms; its timestamps are in seconds. */
const sink = createServer((_, response) => response.end());
sink.listen(0, '127.0.0.1');
await once(sink, 'listening');
await api.webhooks.add({ url: `http://127.0.0.1:${(sink.address() as AddressInfo).port}/` });
const { 'webhook-url': url, 'webhook-secret': secret } = values;
if (url !== undefined) await api.webhooks.add({ url, ...(secret !== undefined && { secret }) });

console.log(JSON.stringify({ url: api.url, apiKey: api.apiKey }));
process.on('disconnect', () => process.exit());
process.on('message', () => process.send?.(report()));

/** What `many-jobs.ts` asks for. */
export interface ApiReport {
  /** Number of calls, by operation. */
  readonly calls: Record<string, number>;
  /** Epoch ms of the end of each batch, by its id. */
  readonly ends: Record<string, number>;
}

function report(): ApiReport {
  const calls: Record<string, number> = {};
  for (const { operation } of api.requests) calls[String(operation)] = (calls[String(operation)] ?? 0) + 1;
  const ends: Record<string, number> = {};
  for (const { jobId, attempts } of api.webhooks.deliveries) {
    if (attempts[0]) ends[jobId] = Math.min(ends[jobId] ?? Infinity, attempts[0].at);
  }
  return { calls, ends };
}
