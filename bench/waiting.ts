/**
 * `npm run bench:waiting`: what it costs to wait for jobs in four ways. One job of several lengths on the time-skipping
 * server, exactly; many jobs on a dev server, on a scaled clock. Each measurement replaces an older one of its kind in
 * the JSON file; the tables and the plot are made of all that are in it.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { measureManyJobs, measureSleepers } from './waiting/many-jobs.js';
import type { Measurements } from './waiting/measurements.js';
import { MEASURED_ALONE, measureExactly, type ExactOptions } from './waiting/exact-day.js';
import { measureSteadyJobs } from './waiting/steady-jobs.js';
import { plot } from './waiting/plot.js';
import { tables } from './waiting/tables.js';
import { DAY_HOURS, WAYS, type Way } from './waiting/ways.js';

const { values } = parseArgs({
  options: {
    /** Lengths of single jobs, in hours; empty for none. */
    lengths: { type: 'string', default: '1,6,24,72' },
    /** Numbers of jobs of a day under a watch, in true durations; empty for none. */
    days: { type: 'string', default: '20,100,1000,5000' },
    /** Numbers of jobs at the same time; empty for none. */
    jobs: { type: 'string', default: '20,100,1000,5000' },
    /** Seconds between the starts of jobs that start evenly; empty for none. */
    every: { type: 'string', default: '86,864' },
    /** Numbers of jobs that only sleep, for the memory of the worker; empty for none. */
    sleepers: { type: 'string', default: '5000' },
    ways: { type: 'string', default: WAYS.join(',') },
    /**
     * How many times as fast the time of the many jobs passes. The server retries an activity within about a second,
     * so at more than 60, with sweeps every 5 s, there are fewer sweeps than in real time.
     */
    scale: { type: 'string', default: '60' },
    /** Length of the longest of many jobs. @default by their number: they are started first */
    hours: { type: 'string' },
    json: { type: 'string', default: 'docs/explanation/waiting.json' },
    svg: { type: 'string', default: 'docs/explanation/waiting.svg' },
  },
});

/** Looks that the dev server manages in a second. More are not measured but computed from the cost of one. */
const LOOKS_PER_SECOND = { 'timer loop': 25, 'look a job': 50, watch: Infinity, 'watch and webhooks': Infinity };
const LOOK_EVERY_SECONDS = { 'timer loop': 60, 'look a job': 300, watch: 300, 'watch and webhooks': 300 };

const list = (text: string): string[] => text.split(',').filter(Boolean);
const ways = WAYS.filter((way) => list(values.ways).includes(way));
const scale = Number(values.scale);
const NOTHING: Measurements = { exact: [], manyJobs: [], steadyJobs: [], sleepers: [] };
const measurements: Measurements = {
  ...NOTHING,
  ...(existsSync(values.json) && (JSON.parse(await readFile(values.json, 'utf8')) as Measurements)),
};

for (const hours of list(values.lengths).map(Number)) {
  for (const way of MEASURED_ALONE.filter((name) => ways.includes(name))) {
    await measureAndKeep({ way, hours, jobs: 1 });
  }
}
for (const jobs of list(values.days).map(Number)) {
  if (ways.includes('watch')) await measureAndKeep({ way: 'watch', hours: DAY_HOURS, jobs });
}
for (const every of list(values.every).map(Number)) {
  console.error(`a job every ${every} s, watch`);
  const result = await measureSteadyJobs(every);
  measurements.steadyJobs = [...measurements.steadyJobs.filter((old) => old.every !== every), result];
  await save();
}
for (const jobs of list(values.jobs).map(Number)) {
  for (const way of ways.filter((name) => isFeasible(name, jobs))) {
    console.error(`${jobs} jobs, ${way}`);
    const hours = Number(values.hours ?? hoursFor(jobs));
    const result = await measureManyJobs({ way, jobs, scale, hours });
    measurements.manyJobs = [...measurements.manyJobs.filter((old) => old.way !== way || old.jobs !== jobs), result];
    await save();
  }
}
for (const jobs of list(values.sleepers).map(Number)) {
  console.error(`${jobs} jobs sleep`);
  const result = await measureSleepers(jobs);
  measurements.sleepers = [...measurements.sleepers.filter((old) => old.jobs !== jobs), result];
  await save();
}
console.log(tables(measurements));
// The native core of the test environments keeps the process alive.
process.exit();

async function measureAndKeep(options: ExactOptions): Promise<void> {
  const { way, hours, jobs } = options;
  console.error(`${jobs} jobs of ${hours} h, ${way}`);
  const result = await measureExactly(options);
  const isOther = (old: Omit<ExactOptions, 'way'> & { way: Way }) =>
    old.way !== way || old.hours !== hours || old.jobs !== jobs;
  measurements.exact = [...measurements.exact.filter(isOther), result];
  await save();
}

function isFeasible(way: Way, jobs: number): boolean {
  return (jobs * scale) / LOOK_EVERY_SECONDS[way] <= LOOKS_PER_SECOND[way];
}

/** A job must outlive the start of all others, of which the dev server manages 30 to 40 in a second. */
function hoursFor(jobs: number): number {
  const startSeconds = jobs / 30;
  return Math.max(1, Math.ceil(((startSeconds + 30) * 3 * scale) / 3_600));
}

async function save(): Promise<void> {
  for (const file of [values.json, values.svg]) await mkdir(dirname(file), { recursive: true });
  await writeFile(values.json, `${JSON.stringify(measurements, null, 2)}\n`);
  await writeFile(values.svg, plot(measurements));
}
