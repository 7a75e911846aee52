/**
 * What one job costs by its length: exact, in true durations, on the time-skipping server. There, webhooks are not
 * measured: its time does not wait for a delivery.
 */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { activityInfo } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { stageActivities, startBackend, type Backend } from '../../dev/stage/backend.js';
import { startWorker } from '../../dev/stage/worker.js';
import { startTimeSkippingServer } from '../../dev/temporal-server/index.js';
import { LlmJobsClient } from '../../src/client.js';
import { accountWatchId } from '../../src/contract/account-watch.js';
import { clockFrom } from '../../src/testing/index.js';
import { costOf, detectionIn, wholeHistory, type RunCost } from './actions.js';
import { timerLoopActivities } from './timer-loop-activities.js';
import { DAY_HOURS, HOUR_MS, REQUEST, TIMER_LOOP_MS, type Way } from './ways.js';

export interface OneJob {
  readonly way: Way;
  readonly hours: number;
  readonly run: RunCost;
  /** The watch of the account, which further jobs share; null where there is none. */
  readonly watch: RunCost | null;
  /** Number of calls to the API, by operation. */
  readonly calls: Readonly<Record<string, number>>;
  /** From the end of the batch to the start of the collecting; the API's time is in seconds. */
  readonly delaySeconds: number;
}

export const MEASURED_ALONE = ['timer loop', 'look a job', 'watch'] as const satisfies readonly Way[];

/** Measures jobs of several lengths, one after the other, each on a server of its own. */
export async function measureOneJob(way: (typeof MEASURED_ALONE)[number], hours: number): Promise<OneJob> {
  const env = await startTimeSkippingServer();
  const backend = await startBackend({
    clock: clockFrom(() => env.currentTimeMs()),
    batches: {
      validatingMs: 60_000,
      inProgressMs: hours * HOUR_MS - 120_000,
      finalizingMs: 60_000,
      expiresAfterMs: Math.max(DAY_HOURS, hours + 1) * HOUR_MS,
      jitter: 0,
    },
  });
  try {
    return await measure(env, backend, way, hours);
  } finally {
    await backend.stop();
    await env.teardown();
  }
}

async function measure(env: TestWorkflowEnvironment, backend: Backend, way: Way, hours: number): Promise<OneJob> {
  const taskQueue = randomUUID();
  const { client } = env;
  /** Attempts of activities, by the workflow id of the run. */
  const attempts = new Map<string, number>();
  const stop = await startCountingWorker(env, backend, { way, taskQueue, attempts });
  try {
    const handle =
      way === 'timer loop'
        ? await client.workflow.start('timerLoop', {
            workflowId: randomUUID(),
            taskQueue,
            args: [{ intervalMs: TIMER_LOOP_MS }],
          })
        : (await new LlmJobsClient(client, { taskQueue }).startBatch({ input: { requests: [REQUEST] }, endpoint }))
            .handle;
    const { runId } = await handle.describe();
    await handle.result();
    const events = await wholeHistory(client, handle.workflowId, runId);
    const watchId = accountWatchId(taskQueue, 'default');
    const calls: Record<string, number> = {};
    for (const { operation } of backend.api.requests) calls[String(operation)] = (calls[String(operation)] ?? 0) + 1;
    return {
      way,
      hours,
      run: costOf(events, attempts.get(handle.workflowId) ?? 0),
      watch: way === 'watch' ? await watchCost(client, watchId, attempts) : null,
      calls,
      delaySeconds: await delayOf(backend, detectionIn(events)),
    };
  } finally {
    await stop();
  }
}

const endpoint = REQUEST.url;

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
): Promise<RunCost> {
  const handle = client.workflow.getHandle(watchId);
  await handle.result();
  const { events } = await handle.fetchHistory();
  return costOf(events ?? [], attempts.get(watchId) ?? 0);
}

async function delayOf({ api }: Backend, detection: ReturnType<typeof detectionIn>): Promise<number> {
  const [batch] = await api.batches();
  if (!detection || !batch?.completed_at) throw new Error('the batch or its run did not end as expected');
  return detection.at / 1_000 - batch.completed_at;
}
