/** The watch of an account: each attempt of its activity is one sweep. */
import { activityInfo, getClient } from '@temporalio/activity';
import type { SweepInput } from '../contract/account-watch.js';
import type { AccountWatchActivities } from '../contract/activities/account-watch.js';
import { nothingNew } from './calls/nothing-new.js';
import { providerApi } from './calls/provider-api.js';
import type { ActivityContext } from './runtime/context.js';
import { withHeartbeat } from './runtime/heartbeat.js';
import { memoryOf, type AccountMemory } from './sweep/memory.js';
import { sweepAccount } from './sweep/sweep.js';
import { watchInterval } from './sweep/trust.js';

const SECOND_MS = 1_000;

/** With so many open jobs, the shortest interval between sweeps is twice `poll.min`. */
const JOBS_PER_MIN_INTERVAL = 20;

/** In longest intervals of the sweeps: how often it is checked that the runs of known jobs are open. */
const RUNS_CHECK_INTERVALS = 3;

export class AccountWatchActivityGroup implements AccountWatchActivities {
  readonly #context: ActivityContext;

  constructor(context: ActivityContext) {
    this.#context = context;
  }

  async sweepAccount({ provider, announced }: SweepInput): Promise<void> {
    const {
      taskQueue,
      heartbeatDetails,
      currentAttemptScheduledTimestampMs: nowMs,
      scheduledTimestampMs,
    } = activityInfo();
    const api = providerApi(this.#context, provider);
    const { onOrphan } = this.#context.watch;
    const now = Math.floor(nowMs / SECOND_MS);
    const memory = memoryOf(api.provider, taskQueue, heartbeatDetails, now, this.#context.poll);
    // Jobs that were announced may have ended since, and their runs may have been told.
    const isSweptSince = memory.at !== null && memory.at * SECOND_MS > scheduledTimestampMs;
    if (!isSweptSince) memory.announce(announced, now);
    await withHeartbeat(
      async () => {
        const checkRunsEvery = Math.floor((RUNS_CHECK_INTERVALS * this.#context.poll.maxMs) / SECOND_MS);
        const client = getClient();
        const { poll } = this.#context;
        const woken = await sweepAccount({ api, client, taskQueue, memory, now, onOrphan, checkRunsEvery, poll });
        if (memory.jobs.size > 0) throw watching(memory, woken, this.#nextSweepMs(memory, nowMs));
      },
      () => memory.encoded(),
    );
  }

  /**
   * The interval of the job that should be looked at soonest. The more jobs are open, the longer it is at least: a sweep
   * of many takes many calls, and where jobs are started all the time one of them is always young.
   */
  #nextSweepMs({ jobs }: AccountMemory, nowMs: number): number {
    const { poll } = this.#context;
    const leastMs = Math.min(poll.minMs * (1 + jobs.size / JOBS_PER_MIN_INTERVAL), poll.maxMs);
    const random = Math.random();
    const intervals = [...jobs.values()].map((job) => watchInterval(job, nowMs, poll, random));
    const soonestMs = intervals.reduce((soonest, interval) => Math.min(soonest, interval), poll.maxMs);
    return Math.max(soonestMs, leastMs);
  }
}

function watching({ jobs, orphans, at }: AccountMemory, woken: number, nextSweepMs: number) {
  const byStatus = new Map<string, number>();
  for (const { status } of jobs.values()) byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
  const counts = [...byStatus].map(([status, count]) => `${count} ${status || 'not read yet'}`);
  const text = [
    `${jobs.size} open jobs: ${counts.join(', ')}`,
    ...(woken > 0 ? [`${woken} runs were woken`] : []),
    ...(orphans.size > 0 ? [`${orphans.size} jobs have no run: see findOrphans`] : []),
  ].join('; ');
  const details = { status: 'watching', open: jobs.size, orphans: orphans.size, checkedAt: at ?? 0 };
  return nothingNew(text, details, nextSweepMs);
}
