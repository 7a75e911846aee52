/**
 * The ready-made worker. Environment variables configure it, one line on stdout reports it ready, SIGTERM drains it.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
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
import { redact } from '../provider/redact.js';
import { readWorkerConfig, type WorkerConfig } from './config.js';

/**
 * Runs a worker until SIGINT or SIGTERM. Never rejects: an error is printed as one line on stderr and sets exit code 1.
 */
export async function runWorker(): Promise<void> {
  try {
    const config = readWorkerConfig(process.env, process.cwd());
    installRuntime(config);
    createFolders(config.storage);
    await serve(config, await connect());
  } catch (error) {
    const secrets = [process.env.OPENAI_API_KEY ?? ''].filter(Boolean);
    console.error(`llm-jobs worker: ${redact(messageOf(error), secrets)}`);
    process.exitCode = 1;
  }
}

function installRuntime({ logLevel, apiKey }: WorkerConfig): void {
  Runtime.install({
    logger: new DefaultLogger(logLevel, (entry) => writeLog(entry, apiKey)),
    // Without `forward`, the SDK's core would log to stdout, unredacted.
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }), forward: {} } },
  });
}

function createFolders(roots: readonly string[]): void {
  for (const root of roots) {
    if (root.startsWith('file:')) mkdirSync(fileURLToPath(root), { recursive: true });
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

async function serve(config: WorkerConfig, { connection, address, namespace }: TemporalTarget): Promise<void> {
  try {
    const worker = await Worker.create({
      connection,
      namespace,
      taskQueue: config.taskQueue,
      workflowBundle: { codePath: workflowBundlePath() },
      activities: createActivities({
        providers: { default: { client: openai(config) } },
        storage: config.storage,
        poll: config.poll,
      }),
      maxConcurrentActivityTaskExecutions: config.maxActivities,
      // A stopped worker leaves every job as it is: running activities may finish, the next worker takes over the rest.
      shutdownGraceTime: config.shutdownGraceMs,
    });
    const where = `task queue ${config.taskQueue}, namespace ${namespace} at ${address}, storage ${config.storage[0]}`;
    console.log(`llm-jobs worker ready: ${where}`);
    await worker.run();
    console.log('llm-jobs worker stopped: no job was cancelled');
  } finally {
    await connection.close();
  }
}

function openai({ apiKey, baseURL, organization, project }: WorkerConfig): OpenAI {
  return new OpenAI({ apiKey, baseURL, organization, project, logLevel: 'off' });
}

function workflowBundlePath(): string {
  const path = fileURLToPath(new URL('../workflow-bundle.cjs', import.meta.url));
  if (!existsSync(path)) throw new Error('the workflow bundle is missing; run `npm run build` first');
  return path;
}

/** Writes one JSON object per line to stderr, without the API key. */
function writeLog({ level, timestampNanos, message, meta }: LogEntry, apiKey: string): void {
  const time = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
  const entry = JSON.stringify({ time, level, message, ...meta }, (_, value: unknown) => {
    if (typeof value === 'bigint') return String(value);
    return value instanceof Error ? { name: value.name, message: value.message } : value;
  });
  process.stderr.write(`${redact(entry, [apiKey])}\n`);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
