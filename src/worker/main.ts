/**
 * The ready-made worker. A file and environment variables configure it, one line on stdout reports it ready, SIGTERM
 * drains it.
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
import { createActivities } from '../activities/index.js';
import { clientOf, providerOf } from '../config/account-client.js';
import { secretsIn } from '../config/load-file.js';
import { proxyFetch } from '../config/proxy.js';
import { readWorkerConfig, storageOf, withUnits, type WorkerConfig } from '../config/worker-config.js';
import { warnOfProviders } from '../provider/probe.js';
import { Providers } from '../provider/providers.js';
import { redact } from '../provider/redact.js';
import { prepareRoot } from '../storage/prepare-root.js';
import { assertNamespace } from './assert-namespace.js';
import { availableMemory, cachedRuns } from './memory.js';
import { prometheusOptions } from './prometheus.js';
import type { Tracing } from './tracing.js';
import type { WebhookServer } from './webhook-server.js';

/**
 * A worker of this size collects its heaps when they have grown by a half. By V8's default they may grow to four times
 * what is in use, in each of the worker's two threads; a smaller worker is faster with it.
 */
const LARGE_BYTES = 256 * 1024 * 1024;
const HEAP_GROWTH = '--heap-growing-percent=50';
const SIZE_CHECK_MS = 2_000;

/**
 * Runs a worker until SIGINT or SIGTERM. What keeps it from starting is printed on stderr, and ends the process with exit
 * code 1 at once: the runtime of Temporal would keep it alive.
 *
 * @param file path of the configuration; undefined: it is looked for
 */
export async function runWorker(file?: string): Promise<void> {
  try {
    const config = await readWorkerConfig({ environment: process.env, folder: process.cwd(), file });
    for (const signal of SIGNALS) process.on(signal, exitBeforeStart);
    for (const root of config.storage) await prepareRoot(root);
    const runtime = installRuntime(config);
    for (const note of config.notes) runtime.logger.warn(note);
    // Loaded on demand: its packages are optional.
    const tracing = config.tracing && (await (await import('./tracing.js')).startTracing(runtime.logger));
    await serve(config, runtime, await connect(), tracing);
  } catch (error) {
    console.error(`llm-jobs worker: ${redact(messageOf(error), secretsIn(process.env))}`);
    process.exit(1);
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Before the worker runs, nothing is to be drained, and the runtime would ignore the signal. */
function exitBeforeStart(): void {
  process.exit(0);
}

function installRuntime({ logLevel, accounts, metrics }: WorkerConfig): Runtime {
  // Keys may be replaced while the worker runs.
  const secrets = () => accounts.flatMap((account) => account.secrets());
  try {
    return Runtime.install({
      logger: new DefaultLogger(logLevel, (entry) => writeLog(entry, secrets())),
      telemetryOptions: {
        // Without `forward`, the SDK's core would log to stdout, unredacted.
        logging: { filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }), forward: {} },
        ...(metrics && { metrics: { prometheus: prometheusOptions(metrics) } }),
      },
    });
  } catch (error) {
    if (metrics === null) throw error;
    const where = '(see metrics, LLM_JOBS_METRICS_PORT, LLM_JOBS_METRICS_HOST)';
    throw new Error(`cannot serve metrics ${where}: ${messageOf(error)}`, { cause: error });
  }
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

/**
 * How long a task or a query waits for the worker that has the run in its cache, if that worker was killed. While both
 * wait, another worker may answer the query with events that no task has taken up yet, and goes on from there in an order
 * that cannot be replayed if a signal comes next (SDK 1.24). With the SDK's 10 s that is likely where somebody watches.
 */
const STICKY_WAIT = '2s';

async function serve(
  config: WorkerConfig,
  runtime: Runtime,
  { connection, address, namespace }: TemporalTarget,
  tracing: Tracing | null,
): Promise<void> {
  await assertNamespace(connection, namespace, address);
  const fetch = await proxyFetch(config.proxy, process.env);
  const providers = Object.fromEntries(config.accounts.map((account) => [account.name, providerOf(account, fetch)]));
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue: config.taskQueue,
    ...(tracing?.options ?? { workflowBundle: { codePath: workflowBundlePath() } }),
    activities: createActivities({ providers, storage: storageOf(config), ...withUnits(config) }),
    maxConcurrentActivityTaskExecutions: config.maxActivities,
    maxCachedWorkflows: cachedRuns(config.maxMemory ?? availableMemory()),
    stickyQueueScheduleToStartTimeout: STICKY_WAIT,
    // A stopped worker leaves every job as it is: running activities may finish, the next worker takes over the rest.
    shutdownGraceTime: config.shutdownGraceMs,
  });
  const webhooks = await takeWebhooks(config, runtime, new Client({ connection, namespace }), fetch);
  const where = `task queue ${config.taskQueue}, namespace ${namespace} at ${address}, storage ${config.storage[0]}`;
  console.log(`llm-jobs worker ready: ${where}`);
  void warnOfProviders(new Providers(providers), (message) => runtime.logger.warn(message));
  keepSmall();
  const running = worker.run();
  for (const signal of SIGNALS) process.off(signal, exitBeforeStart);
  await running;
  await webhooks?.stop();
  await tracing?.stop();
  console.log('llm-jobs worker stopped: no job was cancelled');
  await connection.close();
}

/** Starts the web server for webhooks where one is configured. It takes them until the worker has drained. */
async function takeWebhooks(
  { webhooks, accounts }: WorkerConfig,
  runtime: Runtime,
  temporal: Client,
  fetch: typeof globalThis.fetch | undefined,
): Promise<WebhookServer | null> {
  if (webhooks === null) return null;
  // Loaded on demand, since most workers have no web server.
  const { startWebhookServer } = await import('./webhook-server.js');
  const warn = (message: string) => runtime.logger.warn(message);
  const receiving = accounts.filter(({ webhookSecrets }) => webhookSecrets.length > 0);
  const handled = receiving.map((account) => ({
    name: account.name,
    openai: clientOf(account, fetch),
    secrets: account.webhookSecrets,
  }));
  const server = await startWebhookServer(webhooks, { temporal, accounts: handled, warn });
  for (const url of server.urls) console.log(`llm-jobs worker takes webhooks: ${url}`);
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
