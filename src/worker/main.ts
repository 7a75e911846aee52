/**
 * The ready-made worker. Environment variables configure it, one line on stdout reports it ready, SIGTERM drains it.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { Client } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import {
  DefaultLogger,
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
  Worker,
  type LogEntry,
} from '@temporalio/worker';
import OpenAI from 'openai';
import { createActivities } from '../activities/index.js';
import { warnOfProviders } from '../provider/probe.js';
import { Providers } from '../provider/providers.js';
import { redact } from '../provider/redact.js';
import { prepareRoot } from '../storage/prepare-root.js';
import { assertNamespace } from './assert-namespace.js';
import { readWorkerConfig, webhookSecrets, type WorkerConfig } from './config.js';
import { cachedRuns } from './memory.js';
import type { WebhookServer } from './webhook-server.js';

/**
 * A worker of this size collects its heaps when they have grown by a half. By V8's default they may grow to four times
 * what is in use, in each of the worker's two threads; a smaller worker is faster with it.
 */
const LARGE_BYTES = 256 * 1024 * 1024;
const HEAP_GROWTH = '--heap-growing-percent=50';
const SIZE_CHECK_MS = 2_000;

/**
 * Runs a worker until SIGINT or SIGTERM. What keeps it from starting is printed as one line on stderr, and ends the
 * process with exit code 1 at once: the runtime of Temporal would keep it alive.
 */
export async function runWorker(): Promise<void> {
  try {
    const config = readWorkerConfig(process.env, process.cwd());
    for (const signal of SIGNALS) process.on(signal, exitBeforeStart);
    for (const root of config.storage) await prepareRoot(root);
    const runtime = installRuntime(config);
    await serve(config, runtime, await connect());
  } catch (error) {
    console.error(`llm-jobs worker: ${redact(messageOf(error), secretsOf(process.env))}`);
    process.exit(1);
  }
}

/** What must not be printed. */
function secretsOf({ OPENAI_API_KEY, OPENAI_WEBHOOK_SECRET }: NodeJS.ProcessEnv): string[] {
  return [OPENAI_API_KEY?.trim() ?? '', ...webhookSecrets(OPENAI_WEBHOOK_SECRET)].filter(Boolean);
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Before the worker runs, nothing is to be drained, and the runtime would ignore the signal. */
function exitBeforeStart(): void {
  process.exit(0);
}

function installRuntime({ logLevel, apiKey, webhooks }: WorkerConfig): Runtime {
  const secrets = [apiKey, ...(webhooks?.secrets ?? [])];
  return Runtime.install({
    logger: new DefaultLogger(logLevel, (entry) => writeLog(entry, secrets)),
    // Without `forward`, the SDK's core would log to stdout, unredacted.
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }), forward: {} } },
  });
}

interface TemporalTarget {
  readonly connection: NativeConnection;
  readonly address: string;
  readonly namespace: string;
}

async function connect(): Promise<TemporalTarget> {
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
  const address = connectionOptions.address ?? 'localhost:7233';
  try {
    return { connection: await NativeConnection.connect(connectionOptions), address, namespace };
  } catch (error) {
    const message = `cannot connect to Temporal at ${address} (see TEMPORAL_ADDRESS): ${messageOf(error)}`;
    throw new Error(message, { cause: error });
  }
}

async function serve(
  config: WorkerConfig,
  runtime: Runtime,
  { connection, address, namespace }: TemporalTarget,
): Promise<void> {
  await assertNamespace(connection, namespace, address);
  const { createsPerHour } = config;
  const providers = { default: { client: openai(config), batchLimits: { createsPerHour } } };
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue: config.taskQueue,
    workflowBundle: { codePath: workflowBundlePath() },
    activities: createActivities({ providers, storage: config.storage, ...withUnits(config) }),
    maxConcurrentActivityTaskExecutions: config.maxActivities,
    maxCachedWorkflows: cachedRuns(config.maxMemory),
    // A stopped worker leaves every job as it is: running activities may finish, the next worker takes over the rest.
    shutdownGraceTime: config.shutdownGraceMs,
  });
  const webhooks = await takeWebhooks(config, runtime, new Client({ connection, namespace }));
  const where = `task queue ${config.taskQueue}, namespace ${namespace} at ${address}, storage ${config.storage[0]}`;
  console.log(`llm-jobs worker ready: ${where}`);
  void warnOfProviders(new Providers(providers), (message) => runtime.logger.warn(message));
  keepSmall();
  const running = worker.run();
  for (const signal of SIGNALS) process.off(signal, exitBeforeStart);
  await running;
  await webhooks?.stop();
  console.log('llm-jobs worker stopped: no job was cancelled');
  await connection.close();
}

const withUnits = ({ poll, watch }: Pick<WorkerConfig, 'poll' | 'watch'>) => ({
  poll: { min: `${poll.min}ms`, max: `${poll.max}ms` },
  watch: { ...watch, net: `${watch.net}ms` },
});

/** Starts the web server for webhooks where one is configured. It takes them until the worker has drained. */
async function takeWebhooks(config: WorkerConfig, runtime: Runtime, temporal: Client): Promise<WebhookServer | null> {
  if (config.webhooks === null) return null;
  // Loaded on demand, since most workers have no web server.
  const { startWebhookServer } = await import('./webhook-server.js');
  const warn = (message: string) => runtime.logger.warn(message);
  const server = await startWebhookServer(config.webhooks, { temporal, openai: openai(config), warn });
  console.log(`llm-jobs worker takes webhooks: ${server.url}`);
  return server;
}

function keepSmall(): void {
  const timer = setInterval(() => {
    if (process.memoryUsage.rss() < LARGE_BYTES) return;
    setFlagsFromString(HEAP_GROWTH);
    clearInterval(timer);
  }, SIZE_CHECK_MS);
  timer.unref();
}

function openai({ apiKey, baseURL, organization, project }: WorkerConfig): OpenAI {
  return new OpenAI({ apiKey, baseURL, organization, project, logLevel: 'off' });
}

function workflowBundlePath(): string {
  const path = fileURLToPath(new URL('../workflow-bundle.cjs', import.meta.url));
  if (!existsSync(path)) throw new Error('the workflow bundle is missing; run `npm run build` first');
  return path;
}

/** Writes one JSON object per line to stderr, without the secrets. */
function writeLog({ level, timestampNanos, message, meta }: LogEntry, secrets: readonly string[]): void {
  const time = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
  const entry = JSON.stringify({ time, level, message, ...meta }, (_, value: unknown) => {
    if (typeof value === 'bigint') return String(value);
    return value instanceof Error ? { name: value.name, message: value.message } : value;
  });
  process.stderr.write(`${redact(entry, secrets)}\n`);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
