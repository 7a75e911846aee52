/** The ready-made worker: `npm run worker`. Configured by environment; one line when it is ready; SIGTERM drains it. */
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

async function main(): Promise<void> {
  const config = readWorkerConfig(process.env, process.cwd());
  Runtime.install({
    logger: new DefaultLogger(config.logLevel, (entry) => writeLog(entry, config.apiKey)),
    // Else the SDK's core would print lines of its own, to stdout and unredacted.
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }), forward: {} } },
  });
  for (const root of config.storage) {
    if (root.startsWith('file:')) mkdirSync(fileURLToPath(root), { recursive: true });
  }

  const temporal = loadClientConnectConfig();
  const namespace = temporal.namespace ?? 'default';
  const address = temporal.connectionOptions.address ?? 'localhost:7233';
  const connection = await NativeConnection.connect(temporal.connectionOptions).catch((error: unknown) => {
    throw new Error(`no Temporal server at ${address} (see TEMPORAL_ADDRESS): ${messageOf(error)}`, { cause: error });
  });
  try {
    const worker = await Worker.create({
      connection,
      namespace,
      taskQueue: config.taskQueue,
      workflowBundle: { codePath: fileURLToPath(workflowBundle()) },
      activities: createActivities({
        providers: { default: { client: openai(config) } },
        storage: config.storage,
        poll: config.poll,
      }),
      maxConcurrentActivityTaskExecutions: config.maxActivities,
      // A stopped worker leaves every job as it is: what runs may finish, and the rest is taken over by the next worker.
      shutdownGraceTime: config.shutdownGraceMs,
    });
    const ready = `llm-jobs worker ready: task queue ${config.taskQueue}, namespace ${namespace} at ${address}, storage ${config.storage[0]}`;
    console.log(ready);
    await worker.run();
    console.log('llm-jobs worker stopped: no job was cancelled');
  } finally {
    await connection.close();
  }
}

function openai({ apiKey, baseURL, organization, project }: WorkerConfig): OpenAI {
  return new OpenAI({ apiKey, baseURL, organization, project, logLevel: 'off' });
}

function workflowBundle(): URL {
  const bundle = new URL('../workflow-bundle.cjs', import.meta.url);
  if (!existsSync(bundle)) throw new Error('the workflow bundle is missing; run `npm run build` first');
  return bundle;
}

/** One JSON object a line, on stderr; nothing in it is the key. */
function writeLog({ level, timestampNanos, message, meta }: LogEntry, apiKey: string): void {
  const time = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
  const entry = JSON.stringify({ time, level, message, ...meta }, (_, value: unknown) => {
    if (typeof value === 'bigint') return String(value);
    return value instanceof Error ? { name: value.name, message: value.message } : value;
  });
  process.stderr.write(`${redact(entry, [apiKey])}\n`);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Runs a worker until it is told to stop. Never rejects: what prevents it is one line on stderr and exit code 1. */
export async function runWorker(): Promise<void> {
  try {
    await main();
  } catch (error) {
    console.error(`llm-jobs worker: ${redact(messageOf(error), [process.env.OPENAI_API_KEY ?? ''].filter(Boolean))}`);
    process.exitCode = 1;
  }
}
