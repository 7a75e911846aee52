/** The measurements as tables in Markdown. */
import { callsOf, dayCost, dollars, steadyDayCost } from './day.js';
import type { ManyJobs } from './many-jobs.js';
import type { Measurements } from './measurements.js';
import type { ExactJobs } from './exact-day.js';
import { POLL_MAX_MS, TIMER_LOOP_MS, WAYS } from './ways.js';

const DAY_SECONDS = 86_400;
/** The mean length of a job, as a share of the longest. */
const MEAN_LENGTH = 2 / 3;

export function tables(measurements: Measurements): string {
  return [
    '## Jobs of a length (measured)',
    exactTable(measurements.exact),
    '## Many jobs at the same time, on a scaled clock (measured)',
    manyJobsTable(measurements.manyJobs),
    '## Memory of a worker while jobs sleep (measured)',
    sleepersTable(measurements.sleepers),
    '## A day of N jobs (without a watch computed from one job of a day)',
    dayTable(measurements),
    '## Jobs that start evenly over the day, under one watch (sweeps and actions measured, the day computed)',
    steadyTable(measurements),
  ].join('\n\n');
}

function exactTable(rows: readonly ExactJobs[]): string {
  const sorted = [...rows].toSorted((a, b) => order(a.way, b.way) || a.hours - b.hours || a.jobs - b.jobs);
  return table(
    [
      'Way',
      'Hours',
      'Jobs',
      'Events a job, mean, max',
      'Actions a job, mean, max',
      'Events, actions of the watch',
      'Reads',
      'Lists',
      'Other calls',
      'Seen after, at most',
    ],
    sorted.map((row) => {
      const { way, hours, jobs, run, most, watch, delaySeconds } = row;
      const { reads, lists, others } = callsOf(row);
      const costs = (['events', 'actions'] as const).map((key) => `${run[key].toFixed(1)}, ${most[key]}`);
      const ofWatch = watch ? `${watch.events}, ${watch.actions}` : '';
      return [way, hours, jobs, ...costs, ofWatch, reads, lists, others, `${Math.round(delaySeconds)} s`];
    }),
  );
}

function manyJobsTable(measured: readonly ManyJobs[]): string {
  const sorted = [...measured].toSorted((a, b) => a.jobs - b.jobs || order(a.way, b.way));
  return table(
    [
      'Jobs',
      'Way',
      'Longest job',
      'Events a job, mean, max',
      'Actions a job',
      'Calls a job',
      'Look every',
      'Seen after p50, p95',
      'Worker',
      'Memory a job',
      'Server CPU, whole',
      'Server CPU, waiting',
    ],
    sorted.map((row) => [
      row.jobs,
      row.way,
      `${row.hours} h × 1/${row.scale}`,
      `${row.eventsPerJob.mean.toFixed(1)}, ${row.eventsPerJob.max}`,
      (sum(row.actions) / row.jobs).toFixed(1),
      (sum(row.calls) / row.jobs).toFixed(1),
      `${((row.way === 'timer loop' ? TIMER_LOOP_MS : POLL_MAX_MS) / row.scale / 1_000).toFixed(1)} s`,
      `${row.delayMs.p50} ms, ${row.delayMs.p95} ms`,
      `${megabytes(row.workerBytes.whileWaiting)} MB`,
      `${Math.round((row.workerBytes.whileWaiting - row.workerBytes.atRest) / row.jobs / 1_024)} KB`,
      `${row.serverCpu.whole.toFixed(1)} s`,
      `${Math.round((row.serverCpu.waiting / row.serverCpu.waitingSeconds) * 100)} %`,
    ]),
  );
}

function sleepersTable(rows: Measurements['sleepers']): string {
  return table(
    ['Jobs', 'Worker before', 'Worker', 'All started within'],
    rows.map(({ jobs, workerBytes, startSeconds }) => [
      jobs,
      `${megabytes(workerBytes.atRest)} MB`,
      `${megabytes(workerBytes.whileWaiting)} MB`,
      `${Math.round(startSeconds)} s`,
    ]),
  );
}

function dayTable(measurements: Measurements): string {
  const numbers = [...new Set([1, 100, 1_000, 5_000, ...measurements.manyJobs.map(({ jobs }) => jobs)])].toSorted(
    (a, b) => a - b,
  );
  const rows = numbers.flatMap((jobs) =>
    WAYS.flatMap((way) => {
      const cost = dayCost(measurements, way, jobs);
      if (!cost) return [];
      const { events, actions, calls, looks } = cost;
      const cpu = serverCpuOfADay(measurements, way);
      return [
        [
          jobs,
          way,
          whole(events / jobs),
          whole(actions),
          whole(calls),
          whole(looks),
          `$${dollars(actions).toFixed(2)}`,
          cpu === null ? '' : `${cpu.toFixed(2)} s`,
        ],
      ];
    }),
  );
  return table(
    ['Jobs', 'Way', 'Events a job', 'Actions', 'API calls', 'of them looks', 'Price', 'Server CPU a job'],
    rows,
  );
}

function steadyTable(measurements: Measurements): string {
  const sorted = measurements.steadyJobs.toSorted((a, b) => b.every - a.every);
  return table(
    ['A job every', 'Sweeps an hour', 'Jobs a day', 'Actions', 'API calls', 'of them looks', 'Price'],
    sorted.map(({ every, sweepsPerHour }) => {
      const jobs = Math.round(DAY_SECONDS / every / 10) * 10;
      const cost = steadyDayCost(measurements, every, jobs);
      const figures = cost ? [whole(cost.actions), whole(cost.calls), whole(cost.looks)] : ['', '', ''];
      return [`${every} s`, whole(sweepsPerHour), jobs, ...figures, cost ? `$${dollars(cost.actions).toFixed(2)}` : ''];
    }),
  );
}

/**
 * Processor seconds of the server for a job of a day: its start and its end, and the waiting, whose share grows with
 * time. By the measurement with the most jobs.
 */
function serverCpuOfADay({ manyJobs }: Measurements, way: ManyJobs['way']): number | null {
  const [row] = manyJobs.filter((each) => each.way === way).toSorted((a, b) => b.jobs - a.jobs);
  if (!row) return null;
  const { whole: all, waiting, waitingSeconds } = row.serverCpu;
  const perSecond = waiting / waitingSeconds;
  const waited = (row.hours * 3_600 * MEAN_LENGTH) / row.scale;
  const startAndEnd = Math.max(0, all - perSecond * waited);
  return (startAndEnd + (perSecond * DAY_SECONDS) / row.scale) / row.jobs;
}

const order = (a: string, b: string): number => WAYS.indexOf(a as never) - WAYS.indexOf(b as never);
const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((all, n) => all + n, 0);
const megabytes = (bytes: number): number => Math.round(bytes / 1_024 ** 2);
const whole = (value: number): string => Math.round(value).toLocaleString('en-US');

const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
