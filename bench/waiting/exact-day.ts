/**
 * What jobs cost that start together, by their length and number: exact, in true durations, on the time-skipping
 * server. There, webhooks are not measured: its time does not wait for a delivery.
 */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { activityInfo } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { stageActivities, startBackend, type Backend } from '../../dev/stage/backend.js';
import { startWorker } from '../../dev/stage/worker.js';
import { startTimeSkippingServer } from '../../src/temporal-server/index.js';
import { LlmJobsClient } from '../../src/client.js';
import { accountWatchId } from '../../src/contract/account-watch.js';
import { clockFrom } from '../../src/testing/index.js';
import { costOf, detectionIn, wholeHistory, type RunCost } from './actions.js';
import { timerLoopActivities } from './timer-loop-activities.js';
import { DAY_HOURS, HOUR_MS, REQUEST, REQUESTS, TIMER_LOOP_MS, type Way } from './ways.js';

export interface ExactJobs {
  readonly way: Way;
  /** Length of the jobs, less up to a tenth if there are several. */
  readonly hours: number;
  readonly jobs: number;
  /** The mean of a job. */
  readonly run: RunCost;
  readonly most: RunCost;
  /** The watch of the account, which the jobs share; null where there is none. */
  readonly watch: (RunCost & { readonly sweeps: number }) | null;
  /** Number of calls to the API, by operation. */
  readonly calls: Readonly<Record<string, number>>;
  /** From the end of a batch to the start of its collecting, at most; the API's time is in seconds. */
  readonly delaySeconds: number;
}

export const MEASURED_ALONE = ['timer loop', 'look a job', 'watch'] as const satisfies readonly Way[];

export interface ExactOptions {
  readonly way: (typeof MEASURED_ALONE)[number];
  readonly hours: number;
  readonly jobs: number;
}

/** How much the durations of several jobs differ, up and down. */
const JITTER = 0.05;
/** Starts that are under way at the same time. */
const STARTS_AT_ONCE = 32;
/** Histories that are read. */
const MAX_HISTORIES = 200;

/** On a server of its own. */
export async function measureExactly(options: ExactOptions): Promise<ExactJobs> {
  const { hours, jobs } = options;
  const jitter = jobs === 1 ? 0 : JITTER;
  const env = await startTimeSkippingServer();
  const backend = await startBackend({
    clock: clockFrom(() => env.currentTimeMs()),
    batches: {
      validatingMs: 60_000,
      inProgressMs: (hours * HOUR_MS) / (1 + jitter) - 120_000,
      finalizingMs: 60_000,
      expiresAfterMs: Math.max(DAY_HOURS, hours + 1) * HOUR_MS,
      jitter,
    },
    limits: { batchesPerHour: 1_000_000, enqueuedTokens: Infinity },
  });
  try {
    return await measure(env, backend, options);
  } finally {
    await backend.stop();
    await env.teardown();
  }
}

async function measure(env: TestWorkflowEnvironment, backend: Backend, options: ExactOptions): Promise<ExactJobs> {
  const { way } = options;
  const taskQueue = randomUUID();
  const { client } = env;
  /** Attempts of activities, by the workflow id of the run. */
  const attempts = new Map<string, number>();
  const stop = await startCountingWorker(env, backend, { way, taskQueue, attempts });
  try {
    const handles = await startAll(env, taskQueue, options);
    const firstRuns = await Promise.all(handles.slice(0, MAX_HISTORIES).map((handle) => handle.describe()));
    for (const handle of handles) await handle.result();
    const ends = new Map((await backend.api.batches()).map((batch) => [batch.id, batch.completed_at ?? NaN]));
    const costs: RunCost[] = [];
    const delays: number[] = [];
    for (const { workflowId, runId } of firstRuns) {
      const events = await wholeHistory(client, workflowId, runId);
      costs.push(costOf(events, attempts.get(workflowId) ?? 0));
      const detection = detectionIn(events);
      delays.push((detection?.at ?? NaN) / 1_000 - (ends.get(detection?.batchId ?? '') ?? NaN));
    }
    const watch = way === 'watch' ? await watchCost(client, accountWatchId(taskQueue, 'default'), attempts) : null;
    const calls: Record<string, number> = {};
    for (const { operation } of backend.api.requests) calls[String(operation)] = (calls[String(operation)] ?? 0) + 1;
    return { ...options, ...ofRuns(costs), watch, calls, delaySeconds: Math.max(...delays) };
  } finally {
    await stop();
  }
}

function ofRuns(costs: readonly RunCost[]): Pick<ExactJobs, 'run' | 'most'> {
  const of = (key: keyof RunCost) => costs.map((cost) => cost[key]);
  return {
    run: { events: mean(of('events')), actions: mean(of('actions')) },
    most: { events: Math.max(...of('events')), actions: Math.max(...of('actions')) },
  };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

async function startAll(
  { client }: TestWorkflowEnvironment,
  taskQueue: string,
  { way, jobs }: ExactOptions,
): Promise<WorkflowHandle[]> {
  const llmJobs = new LlmJobsClient(client, { taskQueue });
  const spec = { input: { requests: REQUESTS }, endpoint: REQUEST.url };
  const args = [{ intervalMs: TIMER_LOOP_MS }];
  const handles: WorkflowHandle[] = [];
  let left = jobs;
  const startSome = async () => {
    for (; left > 0;) {
      left -= 1;
      const timerLoop = () => client.workflow.start('timerLoop', { workflowId: randomUUID(), taskQueue, args });
      handles.push(way === 'timer loop' ? await timerLoop() : (await llmJobs.startBatch(spec)).handle);
    }
  };
  await Promise.all(Array.from({ length: STARTS_AT_ONCE }, startSome));
  return handles;
}

interface Counting {
  readonly way: Way;
  readonly taskQueue: string;
  readonly attempts: Map<string, number>;
}

/** @returns the function that stops it */
export async function startCountingWorker(
  { nativeConnection: connection, namespace = 'default' }: TestWorkflowEnvironment,
  backend: Backend,
  { way, taskQueue, attempts }: Counting,
): Promise<() => Promise<void>> {
  if (way !== 'timer loop') {
    const activities = stageActivities(backend, { watch: { mode: way === 'look a job' ? 'job' : 'account' } });
    return startWorker({ connection, namespace, taskQueue }, counted(activities, attempts));
  }
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('timer-loop.ts', import.meta.url)),
    activities: counted(timerLoopActivities(backend.api), attempts),
  });
  const running = worker.run();
  return () => {
    worker.shutdown();
    return running;
  };
}

/** The same activities. Attempts of an activity that is still pending when its run ends are in no history. */
function counted(activities: object, attempts: Map<string, number>): object {
  const entries = Object.entries(activities) as [string, (...args: unknown[]) => Promise<unknown>][];
  return Object.fromEntries(
    entries.map(([name, activity]) => [
      name,
      (...args: unknown[]) => {
        const { workflowId = '' } = activityInfo().workflowExecution ?? {};
        attempts.set(workflowId, (attempts.get(workflowId) ?? 0) + 1);
        return activity(...args);
      },
    ]),
  );
}

async function watchCost(
  client: TestWorkflowEnvironment['client'],
  watchId: string,
  attempts: ReadonlyMap<string, number>,
): Promise<ExactJobs['watch']> {
  const handle = client.workflow.getHandle(watchId);
  await handle.result();
  const { events } = await handle.fetchHistory();
  const sweeps = attempts.get(watchId) ?? 0;
  return { ...costOf(events ?? [], sweeps), sweeps };
}
