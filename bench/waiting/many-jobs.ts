/** Many jobs at the same time, on a real dev server, with the local API and the worker in processes of their own. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { freePorts, startDevServer, type DevServer } from '../../src/temporal-server/index.js';
import { temporaryFolder } from '../../dev/stage/folder.js';
import { spawnWorker, workerVariables } from '../../dev/stage/worker-process.js';
import { LlmJobsClient } from '../../src/client.js';
import { forkScript, type ReadyChild } from '../child.js';
import { cpuSeconds, residentBytes } from '../proc.js';
import { detectionIn } from './actions.js';
import type { ApiReport } from './api.js';
import { serverActions } from './server-actions.js';
import { HOUR_MS, REQUEST, TIMER_LOOP_MS, workerPace, type Way } from './ways.js';

const QUEUE = 'waiting';
const SECRET = `whsec_${Buffer.from('a secret of the bench').toString('base64')}`;

/** How long the runs rest before the worker's memory is read. */
const REST_MS = 20_000;
/** How long the server's processor time without any job is measured. */
const IDLE_MS = 3_000;
/** Starts that are under way at the same time. */
const STARTS_AT_ONCE = 32;
/** Runs whose histories are read for the delays. */
const MAX_HISTORIES = 400;
/** How often it is asked how far the jobs are. */
const POLL_MS = 1_000;
/** Slower than the dev server ends runs. */
const ENDS_PER_SECOND = 5;

/** So slow that sweeps are as rare as they are for an hour-old job, and that none ends. */
const SLEEPERS_SCALE = 10;
const SLEEPERS_HOURS = 72;
const SLEEPERS_REST_MS = 60_000;

export interface ManyJobsOptions {
  readonly way: Way;
  readonly jobs: number;
  /** How many times as fast as real time the simulated time passes. */
  readonly scale: number;
  /** Length of the longest job, simulated. They are evenly distributed down to a third of it. */
  readonly hours: number;
}

export interface ManyJobs extends ManyJobsOptions {
  readonly eventsPerJob: { readonly mean: number; readonly max: number };
  /** Of the jobs and of their watch, by the server's metric. */
  readonly actions: Readonly<Record<string, number>>;
  readonly calls: Readonly<Record<string, number>>;
  /** In real milliseconds. */
  readonly delayMs: { readonly p50: number; readonly p95: number; readonly max: number; readonly measured: number };
  readonly workerBytes: { readonly atRest: number; readonly whileWaiting: number };
  /** Processor seconds of the dev server, without what it uses when idle. */
  readonly serverCpu: { readonly whole: number; readonly waiting: number; readonly waitingSeconds: number };
  readonly workerCpu: number;
  readonly startSeconds: number;
}

/** The processes of one measurement. */
interface Stage {
  readonly server: DevServer;
  readonly metricsPort: number;
  readonly client: Client;
  readonly api: ReadyChild<{ url: string; apiKey: string }>;
  readonly workerPid: number;
  readonly stop: () => Promise<void>;
}

export async function measureManyJobs(options: ManyJobsOptions): Promise<ManyJobs> {
  const stage = await startStage(options);
  try {
    return await measure(stage, options);
  } finally {
    await stage.stop();
  }
}

/** The memory of a worker while jobs sleep of which none ends. */
export interface Sleepers {
  readonly jobs: number;
  readonly workerBytes: ManyJobs['workerBytes'];
  readonly startSeconds: number;
}

export async function measureSleepers(jobs: number): Promise<Sleepers> {
  const options: ManyJobsOptions = { way: 'watch', jobs, scale: SLEEPERS_SCALE, hours: SLEEPERS_HOURS };
  const stage = await startStage(options);
  try {
    const atRest = await residentBytes(stage.workerPid);
    const startedAt = performance.now();
    await startAll(stage.client, options);
    while (((await report(stage)).calls['batches.create'] ?? 0) < jobs) await sleep(POLL_MS);
    const startSeconds = (performance.now() - startedAt) / 1_000;
    await sleep(SLEEPERS_REST_MS);
    return { jobs, workerBytes: { atRest, whileWaiting: await residentBytes(stage.workerPid) }, startSeconds };
  } finally {
    await stage.stop();
  }
}

async function startStage({ way, scale, hours }: ManyJobsOptions): Promise<Stage> {
  const [metricsPort = 0, webhookPort = 0] = await freePorts(2, '127.0.0.1');
  const server = await startDevServer({
    existing: false,
    ui: false,
    log: () => undefined,
    extraArgs: [`--metrics-port=${metricsPort}`],
  });
  const { address, namespace } = server;
  const hasWebhooks = way === 'watch and webhooks';
  const api = await forkScript<{ url: string; apiKey: string }>('waiting/api.ts', [
    `--longest=${Math.round((hours * HOUR_MS) / scale)}`,
    ...(hasWebhooks ? [`--webhook-url=http://127.0.0.1:${webhookPort}/webhooks`, `--webhook-secret=${SECRET}`] : []),
  ]);
  const folder = await temporaryFolder();
  const worker = await startWorkerOf(way, {
    ...workerVariables({ address, namespace, taskQueue: QUEUE, roots: [folder.uri], api: api.ready }),
    ...workerPace(way, scale),
    LLM_JOBS_CREATES_PER_HOUR: '1000000',
    LLM_JOBS_LOG_LEVEL: 'ERROR',
    ...(hasWebhooks && { LLM_JOBS_WEBHOOK_PORT: String(webhookPort), OPENAI_WEBHOOK_SECRET: SECRET }),
  });
  const connection = await Connection.connect({ address });
  return {
    server,
    metricsPort,
    client: new Client({ connection, namespace }),
    api,
    workerPid: worker.pid,
    stop: async () => {
      await connection.close();
      await worker.stop();
      api.process.disconnect();
      await server.stop();
      await folder.remove();
    },
  };
}

async function startWorkerOf(way: Way, variables: Record<string, string>) {
  if (way !== 'timer loop') {
    const worker = spawnWorker(variables);
    await worker.ready();
    return { pid: worker.pid, stop: () => worker.stop('SIGKILL') };
  }
  const { process: worker } = await forkScript('waiting/timer-loop-worker.ts', [
    `--address=${variables.TEMPORAL_ADDRESS}`,
    `--namespace=${variables.TEMPORAL_NAMESPACE}`,
    `--queue=${QUEUE}`,
    `--url=${variables.OPENAI_BASE_URL}`,
    `--key=${variables.OPENAI_API_KEY}`,
  ]);
  return {
    pid: worker.pid ?? 0,
    stop: async () => {
      const ended = once(worker, 'exit');
      worker.disconnect();
      await ended;
    },
  };
}

async function measure(stage: Stage, options: ManyJobsOptions): Promise<ManyJobs> {
  const { server, client, workerPid } = stage;
  const { way, jobs, scale, hours } = options;
  const cpu = () => cpuSeconds(server.pid ?? 0);
  const idlePerSecond = await cpuPerSecond(cpu, IDLE_MS);
  const atRest = await residentBytes(workerPid);
  const before = { cpu: await cpu(), workerCpu: await cpuSeconds(workerPid), at: performance.now() };
  await startAll(client, options);
  while (((await report(stage)).calls['batches.create'] ?? 0) < jobs) await sleep(POLL_MS);
  const startSeconds = (performance.now() - before.at) / 1_000;

  // A short job ends before a long rest is over.
  const restMs = Math.min(REST_MS, (hours * HOUR_MS) / scale / 5);
  const restStart = { cpu: await cpu(), at: performance.now() };
  await sleep(restMs);
  const whileWaiting = await residentBytes(workerPid);
  console.error(`${jobs} jobs wait: the worker takes ${Math.round(whileWaiting / 1_024 ** 2)} MB`);
  const waitingSeconds = (performance.now() - restStart.at) / 1_000;
  const waiting = (await cpu()) - restStart.cpu - idlePerSecond * waitingSeconds;

  const longestMs = (hours * HOUR_MS) / scale;
  await untilEnded(client, jobs, longestMs + (jobs / ENDS_PER_SECOND) * 1_000 + 60_000);
  const wholeSeconds = (performance.now() - before.at) / 1_000;
  const whole = (await cpu()) - before.cpu - idlePerSecond * wholeSeconds;
  const workerCpu = (await cpuSeconds(workerPid)) - before.workerCpu;
  const actions = await serverActions(stage.metricsPort, server.namespace);
  const { calls, ends } = await report(stage);
  return {
    way,
    jobs,
    scale,
    hours,
    eventsPerJob: await eventsOf(client),
    actions,
    calls,
    delayMs: await delaysOf(client, ends),
    workerBytes: { atRest, whileWaiting },
    serverCpu: { whole, waiting, waitingSeconds },
    workerCpu,
    startSeconds,
  };
}

async function cpuPerSecond(cpu: () => Promise<number>, ms: number): Promise<number> {
  const before = await cpu();
  await sleep(ms);
  return ((await cpu()) - before) / (ms / 1_000);
}

async function startAll(client: Client, { way, jobs, scale }: ManyJobsOptions): Promise<void> {
  const llmJobs = new LlmJobsClient(client, { taskQueue: QUEUE });
  const intervalMs = Math.max(1, Math.round(TIMER_LOOP_MS / scale));
  let next = 0;
  const startSome = async () => {
    while (next < jobs) {
      const workflowId = `job-${(next += 1)}`;
      if (way === 'timer loop') {
        await client.workflow.start('timerLoop', { workflowId, taskQueue: QUEUE, args: [{ intervalMs }] });
      } else {
        await llmJobs.startBatch({ input: { requests: [REQUEST] }, endpoint: REQUEST.url }, { workflowId });
      }
    }
  };
  await Promise.all(Array.from({ length: STARTS_AT_ONCE }, startSome));
}

async function report({ api }: Stage): Promise<ApiReport> {
  const answered = once(api.process, 'message');
  api.process.send('report');
  return ((await answered) as [ApiReport])[0];
}

/** The runs of the jobs, without that of their watch. */
const ENDED = 'WorkflowType IN ("runBatch", "timerLoop") AND ExecutionStatus = "Completed"';

async function untilEnded(client: Client, jobs: number, limitMs: number): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (true) {
    const { count } = await client.workflow.count(ENDED);
    if (count >= jobs) return;
    if (performance.now() > deadline) throw new Error(`${count} of ${jobs} runs ended within ${limitMs / 1_000} s`);
    await sleep(POLL_MS);
  }
}

async function eventsOf(client: Client): Promise<ManyJobs['eventsPerJob']> {
  const lengths: number[] = [];
  for await (const { historyLength } of client.workflow.list({ query: ENDED, pageSize: 1_000 })) {
    lengths.push(historyLength);
  }
  return { mean: lengths.reduce((sum, length) => sum + length, 0) / lengths.length, max: Math.max(...lengths) };
}

/** From the end of a batch to the moment at which its run knew. */
async function delaysOf(client: Client, ends: ApiReport['ends']): Promise<ManyJobs['delayMs']> {
  const delays: number[] = [];
  for await (const { workflowId } of client.workflow.list({ query: ENDED, pageSize: 1_000 })) {
    if (delays.length === MAX_HISTORIES) break;
    const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
    const detection = detectionIn(events ?? []);
    const endedAt = ends[detection?.batchId ?? ''];
    if (detection && endedAt !== undefined) delays.push(detection.at - endedAt);
  }
  delays.sort((a, b) => a - b);
  const at = (share: number) =>
    Math.round(delays[Math.min(delays.length - 1, Math.floor(delays.length * share))] ?? NaN);
  return { p50: at(0.5), p95: at(0.95), max: at(1), measured: delays.length };
}
