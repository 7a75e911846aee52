/**
 * What a number of jobs costs in a day. Runs that look for themselves do not depend on each other, so the cost of many is
 * computed from that of one; under a watch it is measured.
 */
import type { Measurements } from './measurements.js';
import type { ExactJobs } from './exact-day.js';
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

/** Null where it is neither measured nor computed. */
export function dayCost(measurements: Measurements, way: Way, jobs: number): DayCost | null {
  if (way === 'watch') return watchedDayCost(measurements, jobs);
  if (way === 'watch and webhooks') {
    const watched = watchedDayCost(measurements, jobs);
    // The handler of webhooks reads the job before it wakes the run.
    return watched && { ...watched, calls: watched.calls + jobs, looks: watched.looks + jobs };
  }
  const one = jobOfADay(measurements, way);
  if (!one) return null;
  const { reads, others } = callsOf(one);
  return {
    events: jobs * one.run.events,
    actions: jobs * one.run.actions,
    calls: jobs * (reads + others),
    looks: jobs * reads,
  };
}

/** As measured: what the jobs of a watch cost together is not a multiple of one. */
function watchedDayCost({ exact }: Measurements, jobs: number): DayCost | null {
  const row = exact.find((each) => each.way === 'watch' && each.hours === DAY_HOURS && each.jobs === jobs);
  if (!row?.watch) return null;
  const { lists, reads, others } = callsOf(row);
  const { run, watch } = row;
  // Each sweep heartbeats once.
  const actions = jobs * run.actions + watch.actions + watch.sweeps;
  return { events: jobs * run.events + watch.events, actions, calls: lists + reads + others, looks: lists + reads };
}

/** A job of a day as it was measured. That of the timer loop, which takes long, may be computed: each hour costs the same. */
function jobOfADay({ exact }: Measurements, way: Way): ExactJobs | undefined {
  const ofWay = exact.filter((each) => each.way === way && each.jobs === 1).toSorted((a, b) => a.hours - b.hours);
  const [first, last] = [ofWay[0], ofWay.at(-1)];
  const measured = ofWay.find(({ hours }) => hours === DAY_HOURS);
  if (measured || way !== 'timer loop' || !first || !last || first === last) return measured;
  const atADay = (from: number, to: number): number =>
    Math.round(from + ((to - from) * (DAY_HOURS - first.hours)) / (last.hours - first.hours));
  const reads = atADay(first.calls['batches.retrieve'] ?? 0, last.calls['batches.retrieve'] ?? 0);
  const run = {
    events: atADay(first.run.events, last.run.events),
    actions: atADay(first.run.actions, last.run.actions),
  };
  return { ...first, hours: DAY_HOURS, run, most: run, calls: { ...first.calls, 'batches.retrieve': reads } };
}

/**
 * The same for jobs that start evenly over the day, by the watch; null where that interval, or as many jobs that start
 * together, have not been measured. Each sweep reads all pages of the open jobs, and one of them.
 */
export function steadyDayCost(measurements: Measurements, every: number, openJobs: number): DayCost | null {
  const steady = measurements.steadyJobs.find((each) => each.every === every);
  const row = measurements.exact.find(({ way, jobs }) => way === 'watch' && jobs === openJobs);
  const together = dayCost(measurements, 'watch', openJobs);
  if (!steady || !row?.watch || !together) return null;
  const sweeps = steady.sweepsPerHour * DAY_HOURS;
  const lists = (sweeps - row.watch.sweeps) * (Math.ceil(openJobs / PAGE) + 1);
  const watchActions = steady.actionsPerHour * DAY_HOURS + sweeps;
  return {
    events: together.events,
    actions: together.actions - row.watch.actions - row.watch.sweeps + watchActions,
    calls: together.calls + lists,
    looks: together.looks + lists,
  };
}

/** The calls, by what they are for. */
export function callsOf({ calls }: Pick<ExactJobs, 'calls'>): { lists: number; reads: number; others: number } {
  const all = Object.values(calls).reduce((sum, count) => sum + count, 0);
  const lists = calls['batches.list'] ?? 0;
  const reads = calls['batches.retrieve'] ?? 0;
  return { lists, reads, others: all - lists - reads };
}

export const dollars = (actions: number): number => (actions / 1e6) * DOLLARS_PER_MILLION_ACTIONS;
