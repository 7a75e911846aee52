/** The entry point for web servers, as a user installs it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { consumerProject } from './consumer-project.js';
import { loadedModules, packagesOf } from './loaded-packages.js';

const TSC = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
const GUIDE = fileURLToPath(new URL('../../docs/how-to/webhooks.md', import.meta.url));

/** A web server of the user. Run by itself, it prints what its handler answers. */
const SERVER = `
import { Client, Connection } from '@temporalio/client';
import OpenAI, { AzureOpenAI } from 'openai';
import {
  NoWebhookApiError, rotateWebhookSecret, setUpWebhook, testWebhook, webhookHandler,
  type DeliveryHandling, type HandledDelivery, type JobEventType, type OpenAIClient, type WebhookHandler,
  type WebhookHandlerOptions, type WebhookSetUp, type WebhookTest,
} from 'temporal-llm-jobs/webhooks';

const temporal = new Client({ connection: Connection.lazy({ address: '127.0.0.1:1' }) });
const openai: OpenAIClient = new AzureOpenAI({ apiKey: 'k', apiVersion: '2025-01-01', endpoint: 'https://example.com' });
const seen: HandledDelivery[] = [];
const options: WebhookHandlerOptions = {
  temporal,
  openai,
  secrets: ['whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cywgMzIgYnl0ZXM='],
  onDelivery: (delivery) => void seen.push(delivery),
};
const handler: WebhookHandler = webhookHandler(options);
export const POST: (request: Request) => Promise<Response> = handler;

export async function deploy(client: OpenAI, events: readonly JobEventType[]): Promise<string | null> {
  try {
    const { id, secret, isCreated }: WebhookSetUp = await setUpWebhook(client, 'https://example.com/webhooks', { events });
    const { isAccepted }: WebhookTest = await testWebhook(client, id, 'batch.failed');
    return isCreated || isAccepted ? secret : (await rotateWebhookSecret(client, id, { keepOld: false })).secret;
  } catch (error) {
    if (error instanceof NoWebhookApiError) return error.message;
    throw error;
  }
}

// @ts-expect-error: a handler needs the secrets
export const incomplete = () => webhookHandler({ temporal, openai });
// @ts-expect-error: not a way in which a delivery is handled
export const wrong: DeliveryHandling = 'accepted';

const answers = [await POST(new Request('http://x/')), await POST(new Request('http://x/', { method: 'POST' }))];
console.log(...answers.map(({ status }) => status), seen.length, handler.counts.malformed, typeof deploy);
`;

/** What the snippets of the guide take for granted. */
const GIVEN = `
import type { Client } from '@temporalio/client';
import type { OpenAI as OpenAIOfSnippet } from 'openai';
declare const client: Client;
declare const openai: OpenAIOfSnippet;
`;

const TSCONFIG = JSON.stringify({
  compilerOptions: {
    module: 'nodenext',
    target: 'es2022',
    lib: ['es2023'],
    types: ['node'],
    strict: true,
    skipLibCheck: true,
    outDir: 'out',
  },
  include: ['*.ts'],
});

/** The TypeScript in the guide, each snippet as a module. */
function snippets(): Record<string, string> {
  const blocks = [...readFileSync(GUIDE, 'utf8').matchAll(/^```ts\n(.*?)^```/gms)];
  return Object.fromEntries(blocks.map(([, code], index) => [`snippet-${index + 1}.ts`, `${GIVEN}${code}`]));
}

test('webhooks: imported → Temporal’s client and zod are loaded, nothing of the worker, its server or the workflows', async () => {
  const modules = await loadedModules('temporal-llm-jobs/webhooks');
  const packages = packagesOf(modules);
  expect(packages).toEqual(expect.arrayContaining(['@temporalio/client', 'zod']));
  const unwanted =
    /^(openai|commander|ajv|fastify|hono|@hono\/.*|@aws-sdk\/.*|@temporalio\/(worker|core-bridge|activity|workflow|plugin))$/;
  expect(packages.filter((name) => unwanted.test(name))).toEqual([]);
  const ours = /[\\/]dist[\\/](workflow-bundle|workflows|activities|worker|testing|cli)\b|\.node$/;
  expect(modules.filter((name) => ours.test(name) && !name.includes('node_modules'))).toEqual([]);
});

test('webhooks: a web server of the user, and the snippets of the guide → they compile, and its handler answers', async () => {
  const guide = snippets();
  expect(Object.keys(guide).length).toBeGreaterThanOrEqual(2);
  const project = await consumerProject({
    'package.json': JSON.stringify({ name: 'consumer', type: 'module' }),
    'tsconfig.json': TSCONFIG,
    'server.ts': SERVER,
    ...guide,
  });
  onTestFinished(project.remove);
  await project.node(TSC, '-p', join(project.folder, 'tsconfig.json'), '--pretty', 'false');
  expect(await project.node('--no-warnings', join('out', 'server.js'))).toBe('405 400 2 1 function\n');
});

test('webhooks: exports → what a web server and its deployment need', async () => {
  const entry = (await import('../../src/webhooks.js')) as Record<string, unknown>;
  expect(Object.keys(entry).toSorted()).toEqual([
    'NoWebhookApiError',
    'WebhookSecretLostError',
    'rotateWebhookSecret',
    'setUpWebhook',
    'testWebhook',
    'webhookHandler',
  ]);
});
