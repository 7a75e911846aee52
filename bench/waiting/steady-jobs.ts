/**
 * Jobs that start evenly, as they do in an account that is used all day: how often the watch sweeps then, in true
 * durations, on the time-skipping server. The watch looks as often as its youngest job deserves.
 */
import { randomUUID } from 'node:crypto';
import { startBackend } from '../../dev/stage/backend.js';
import { startTimeSkippingServer } from '../../src/temporal-server/index.js';
import { LlmJobsClient } from '../../src/client.js';
import { accountWatchId } from '../../src/contract/account-watch.js';
import { clockFrom } from '../../src/testing/index.js';
import { costOf } from './actions.js';
import { startCountingWorker } from './exact-day.js';
import { HOUR_MS, REQUEST } from './ways.js';

export interface SteadyJobs {
  /** Seconds from the start of one job to that of the next. */
  readonly every: number;
  /** How many were started. None of them ended. */
  readonly jobs: number;
  /** Sweeps in an hour, all of which read one page here. */
  readonly sweepsPerHour: number;
  /** Actions of the watch in an hour, without its heartbeats, of which there is one a sweep. */
  readonly actionsPerHour: number;
}

const MEASURED_SECONDS = 5_400;

export async function measureSteadyJobs(every: number): Promise<SteadyJobs> {
  const env = await startTimeSkippingServer();
  const batches = { validatingMs: 60_000, inProgressMs: 22 * HOUR_MS, finalizingMs: 60_000, jitter: 0 };
  const backend = await startBackend({ clock: clockFrom(() => env.currentTimeMs()), batches });
  const taskQueue = randomUUID();
  const attempts = new Map<string, number>();
  const stop = await startCountingWorker(env, backend, { way: 'watch', taskQueue, attempts });
  try {
    const client = new LlmJobsClient(env.client, { taskQueue });
    const jobs = Math.ceil(MEASURED_SECONDS / every);
    for (let started = 0; started < jobs; started += 1) {
      await client.startBatch({ input: { requests: [REQUEST] }, endpoint: REQUEST.url });
      await env.sleep(every * 1_000);
    }
    const watchId = accountWatchId(taskQueue, 'default');
    const { events } = await env.client.workflow.getHandle(watchId).fetchHistory();
    const { actions } = costOf(events ?? [], attempts.get(watchId) ?? 0);
    const sweeps = backend.api.requests.filter(({ operation }) => operation === 'batches.list').length;
    const hours = (jobs * every) / 3_600;
    return { every, jobs, sweepsPerHour: sweeps / hours, actionsPerHour: actions / hours };
  } finally {
    await stop();
    await backend.stop();
    await env.teardown();
  }
}
