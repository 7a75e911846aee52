/**
 * What a number of jobs costs in a day: computed from one job of a day, which is measured exactly. Runs do not depend on
 * each other; only the sweeps of a watch are shared, and their pages grow with the number of jobs.
 */
import type { Measurements } from './measurements.js';
import type { OneJob } from './one-job.js';
import { DAY_HOURS, type Way } from './ways.js';

/** Of the provider's list of batches. */
const PAGE = 100;

/**
 * Pay-as-you-go, of the first five million in a month: https://docs.temporal.io/cloud/pricing, whose source was
 * read on 2026-11-26 (commit 0217b71 of temporalio/documentation).
 */
const DOLLARS_PER_MILLION_ACTIONS = 50;

export interface DayCost {
  readonly events: number;
  readonly actions: number;
  readonly calls: number;
  /** Calls that read a job or a list: without files and creates. */
  readonly looks: number;
}

/** Null where one job of a day is neither measured nor computed. */
export function dayCost({ oneJob }: Measurements, way: Way, jobs: number): DayCost | null {
  const measured = way === 'watch and webhooks' ? 'watch' : way;
  const one = jobOfADay(oneJob, measured);
  if (!one) return null;
  const { lists, reads, others } = callsOf(one);
  // The handler of webhooks reads the job before it wakes the run.
  const byHandler = way === 'watch and webhooks' ? jobs : 0;
  const looks = jobs * reads + byHandler + lists * (one.watch ? Math.ceil(jobs / PAGE) : jobs);
  const heartbeats = one.watch ? lists : 0;
  return {
    events: jobs * one.run.events + (one.watch?.events ?? 0),
    actions: jobs * one.run.actions + (one.watch?.actions ?? 0) + heartbeats,
    calls: looks + jobs * others,
    looks,
  };
}

/** A job of a day as it was measured. That of the timer loop, which takes long, may be computed: each hour costs the same. */
function jobOfADay(oneJob: readonly OneJob[], way: Way): OneJob | undefined {
  const ofWay = oneJob.filter((each) => each.way === way).toSorted((a, b) => a.hours - b.hours);
  const [first, last] = [ofWay[0], ofWay.at(-1)];
  const measured = ofWay.find(({ hours }) => hours === DAY_HOURS);
  if (measured || way !== 'timer loop' || !first || !last || first === last) return measured;
  const atADay = (from: number, to: number): number =>
    Math.round(from + ((to - from) * (DAY_HOURS - first.hours)) / (last.hours - first.hours));
  const reads = atADay(first.calls['batches.retrieve'] ?? 0, last.calls['batches.retrieve'] ?? 0);
  return {
    ...first,
    hours: DAY_HOURS,
    run: {
      events: atADay(first.run.events, last.run.events),
      actions: atADay(first.run.actions, last.run.actions),
    },
    calls: { ...first.calls, 'batches.retrieve': reads },
  };
}

/** The same for jobs that start evenly over the day, by the watch; null where that interval has not been measured. */
export function steadyDayCost(measurements: Measurements, way: Way, every: number, openJobs: number): DayCost | null {
  const steady = measurements.steadyJobs.find((each) => each.every === every);
  const one = measurements.oneJob.find((each) => each.way === 'watch' && each.hours === DAY_HOURS);
  const together = dayCost(measurements, way, openJobs);
  if (!steady || !one?.watch || !together) return null;
  const before = callsOf(one).lists;
  const sweeps = steady.sweepsPerHour * DAY_HOURS;
  const lists = (sweeps - before) * Math.ceil(openJobs / PAGE);
  const watchActions = steady.actionsPerHour * DAY_HOURS + sweeps;
  return {
    events: together.events,
    actions: together.actions - one.watch.actions - before + watchActions,
    calls: together.calls + lists,
    looks: together.looks + lists,
  };
}

/** The calls for one job, by what they are for. */
export function callsOf({ calls }: Pick<OneJob, 'calls'>): { lists: number; reads: number; others: number } {
  const all = Object.values(calls).reduce((sum, count) => sum + count, 0);
  const lists = calls['batches.list'] ?? 0;
  const reads = calls['batches.retrieve'] ?? 0;
  return { lists, reads, others: all - lists - reads };
}

export const dollars = (actions: number): number => (actions / 1e6) * DOLLARS_PER_MILLION_ACTIONS;
