/**
 * What a number of jobs costs in a day: computed from one job of a day, which is measured exactly. Runs do not depend on
 * each other; only the sweeps of a watch are shared, and their pages grow with the number of jobs.
 */
import type { Measurements } from './measurements.js';
import type { OneJob } from './one-job.js';
import { DAY_HOURS, type Way } from './ways.js';

/** Of the provider's list of batches. */
const PAGE = 100;

/** Pay-as-you-go, of the first five million in a month: https://docs.temporal.io/cloud/pricing, read on 2026-11-26. */
const DOLLARS_PER_MILLION_ACTIONS = 50;

export interface DayCost {
  readonly events: number;
  readonly actions: number;
  readonly calls: number;
  /** Calls that read a job or a list: without files and creates. */
  readonly looks: number;
}

/** Null where one job of a day has not been measured. */
export function dayCost({ oneJob }: Measurements, way: Way, jobs: number): DayCost | null {
  const measured = way === 'watch and webhooks' ? 'watch' : way;
  const one = oneJob.find((each) => each.way === measured && each.hours === DAY_HOURS);
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

/** The calls for one job, by what they are for. */
export function callsOf({ calls }: Pick<OneJob, 'calls'>): { lists: number; reads: number; others: number } {
  const all = Object.values(calls).reduce((sum, count) => sum + count, 0);
  const lists = calls['batches.list'] ?? 0;
  const reads = calls['batches.retrieve'] ?? 0;
  return { lists, reads, others: all - lists - reads };
}

export const dollars = (actions: number): number => (actions / 1e6) * DOLLARS_PER_MILLION_ACTIONS;
