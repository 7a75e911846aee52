/**
 * Lifecycles whose workers are killed: a real Temporal server, the local API, and worker processes that get SIGKILL. At
 * the end the provider, the storage and Temporal are compared. `npm run test:chaos` runs a hundred.
 */
import { readdir, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledFailure, WorkflowFailedError } from '@temporalio/client';
import { expect, test } from 'vitest';
import type { BatchResult, FineTuningResult } from '../../src/index.js';
import type { Operation } from '../../src/testing/index.js';
import { randomFor } from '../../src/testing/random.js';
import { HOUR } from '../../dev/stage/timing.js';
import { waitFor } from '../../dev/stage/wait-for.js';
import type { WorkerProcess } from '../../dev/stage/worker-process.js';
import { endpoint, ownerOf, readLines, TERMINAL_STATUSES, totalOf } from '../support/runs.js';
import { chatExamples, chatRequests } from '../support/samples.js';
import { workerProcessStage } from '../support/stage.js';

const LIFECYCLES = Number(process.env.LLM_JOBS_CHAOS ?? 4);
const SEED = Number(process.env.LLM_JOBS_CHAOS_SEED ?? 1);
const WORKERS = 2;
const LINES = 40;
/** Lifecycles that start together; each such group meets two kills. */
const GROUP = 4;

/** How a run is cancelled, by its number. */
const STEERING = ['none', 'none', 'signal', 'none', 'native', 'none'] as const;
type Steering = (typeof STEERING)[number];

/**
 * Kills follow the first request of one of these kinds, so that they meet runs in all phases, however fast the machine
 * is.
 */
const KILLED_AT: readonly (readonly Operation[])[] = [
  ['batches.create', 'fineTuning.create'],
  ['files.create'],
  ['batches.create', 'fineTuning.create'],
  ['batches.retrieve', 'fineTuning.retrieve'],
  ['files.content'],
];

const stage = workerProcessStage({
  seed: SEED,
  batches: { validatingMs: HOUR, inProgressMs: 4 * HOUR, finalizingMs: HOUR, cancellingMs: HOUR, jitter: 0.5 },
  fineTuning: { validatingMs: HOUR, queuedMs: HOUR, runningMs: 4 * HOUR, jitter: 0.5 },
});
const random = randomFor(SEED, 'chaos');

interface Lifecycle {
  readonly id: string;
  readonly kind: 'batch' | 'fineTuning';
  readonly steering: Steering;
  /** Workers killed while it ran. */
  kills: number;
  hasEnded: boolean;
  readonly end: Promise<BatchResult | FineTuningResult | 'Cancelled' | Error>;
}

interface AnyJob {
  readonly status: string;
  readonly metadata?: unknown;
}

test(
  `${LIFECYCLES} lifecycles, workers killed → every end correct, every line once, no job twice`,
  { timeout: 600_000 + LIFECYCLES * 20_000 },
  async () => {
    prolongRequests();
    const began = Date.now();
    const { lifecycles, kills } = await runAll();
    const ends = await Promise.all(lifecycles.map(async (one) => ({ ...one, ended: await one.end })));
    const seconds = Math.round((Date.now() - began) / 1_000);

    const jobs = [...(await stage.api.batches()), ...(await stage.api.fineTuningJobs())];
    const faults = (await Promise.all(ends.map((one) => faultOf(one, jobs)))).filter((fault) => fault !== null);
    const owners = jobs.map(ownerOf);
    const report = {
      lifecycles: lifecycles.length,
      correct: lifecycles.length - faults.length,
      ...kills,
      lifecyclesThatMetAKill: lifecycles.filter((one) => one.kills > 0).length,
      cancelledRuns: ends.filter(({ steering }) => steering !== 'none').length,
      jobs: jobs.length,
      duplicateJobs: owners.length - new Set(owners).size,
      jobsWithoutEnd: jobs.filter(({ status }) => !TERMINAL_STATUSES.includes(status)).length,
      seconds,
      seed: SEED,
    };
    console.log(JSON.stringify(report));
    if (process.env.LLM_JOBS_CHAOS_REPORT) await writeFile(process.env.LLM_JOBS_CHAOS_REPORT, JSON.stringify(report));

    expect(faults).toEqual([]);
    expect(report).toMatchObject({ duplicateJobs: 0, jobsWithoutEnd: 0 });
  },
);

/** Requests take their time, so that many a kill falls between the provider's action and Temporal's knowledge of it. */
function prolongRequests(): void {
  const creates = ['batches.create', 'fineTuning.create'] as const;
  const rules = [
    { on: creates, effect: { kind: 'delay', ms: 1_500, handled: true }, probability: 0.5 },
    { on: creates, effect: 'lostAnswer', probability: 0.15 },
    { on: 'files.create', effect: { kind: 'delay', ms: 700, handled: true }, probability: 0.3 },
    { on: 'files.content', effect: { kind: 'delay', ms: 700 }, probability: 0.3 },
    { on: 'files.content', effect: 'cutBody', probability: 0.2 },
  ] as const;
  for (const rule of rules) stage.api.faults.add({ times: Infinity, ...rule });
}

/** Starts group after group, and kills workers twice before the next. */
async function runAll() {
  const workers = await Promise.all(Array.from({ length: WORKERS }, () => startWorker()));
  const input = { uri: await stage.write(chatRequests(LINES)) };
  const trainingFile = { uri: await stage.write(chatExamples(12)) };
  const lifecycles: Lifecycle[] = [];
  const kills = { kills: 0, killsAtACreate: 0 };
  let moments = 0;
  while (lifecycles.length < LIFECYCLES) {
    const size = Math.min(GROUP, LIFECYCLES - lifecycles.length);
    for (let index = 0; index < size; index += 1) {
      lifecycles.push(await start(lifecycles.length, input, trainingFile));
    }
    for (let kill = 0; kill < 2; kill += 1) {
      const operations = KILLED_AT[moments % KILLED_AT.length] ?? [];
      moments += 1;
      const isCreate = operations.includes('batches.create');
      await nextRequest(operations, lifecycles);
      if (random() < 0.5) await sleep(random() * 1_000);
      // All of them while a create is under way, so that none is left to report its outcome.
      const victims = isCreate ? [...workers.keys()] : [Math.floor(random() * workers.length)];
      kills.kills += victims.length;
      if (isCreate) kills.killsAtACreate += 1;
      await replace(workers, victims, lifecycles);
    }
  }
  return { lifecycles, kills };
}

const startWorker = () => stage.startWorker({ LLM_JOBS_POLL_MIN: '500ms', LLM_JOBS_POLL_MAX: '1s' });

/** Waits for a request of one of these operations, or until no run is left that could make one. */
async function nextRequest(operations: readonly Operation[], lifecycles: readonly Lifecycle[]): Promise<void> {
  const { requests } = stage.api;
  const before = requests.length;
  await waitFor(
    () =>
      requests.slice(before).some(({ operation }) => (operations as readonly unknown[]).includes(operation)) ||
      lifecycles.every(({ hasEnded }) => hasEnded),
    `a request of ${operations.join(' or ')}`,
  );
}

async function replace(workers: WorkerProcess[], victims: readonly number[], lifecycles: readonly Lifecycle[]) {
  for (const one of lifecycles) if (!one.hasEnded) one.kills += victims.length;
  await Promise.all(
    victims.map(async (index) => {
      await workers[index]?.stop('SIGKILL');
      workers[index] = await startWorker();
    }),
  );
}

async function start(number: number, input: { uri: string }, trainingFile: { uri: string }): Promise<Lifecycle> {
  const id = `chaos-${SEED}-${number}-${stage.temporal.taskQueue}`;
  const kind = number % 2 === 0 ? 'batch' : 'fineTuning';
  const steering = STEERING[Math.floor(number / 2) % STEERING.length] ?? 'none';
  const options = { workflowId: id };
  const cleanup = { input: true };
  const run =
    kind === 'batch'
      ? await stage.jobs.startBatch({ input, endpoint, cleanup }, options)
      : await stage.jobs.startFineTuning({ model: 'gpt-4o-mini-2024-07-18', trainingFile, cleanup }, options);
  const steer = async (ms: number) => {
    await sleep(ms);
    if (steering === 'signal') await run.cancel('chaos');
    if (steering === 'native') await run.handle.cancel();
  };
  const steered = steer(random() * 10_000);
  const end = run.result().catch((error: unknown) => {
    const isCancelled = error instanceof WorkflowFailedError && error.cause instanceof CancelledFailure;
    return isCancelled ? 'Cancelled' : (error as Error);
  });
  const lifecycle: Lifecycle = { id, kind, steering, kills: 0, hasEnded: false, end: over() };
  return lifecycle;

  async function over() {
    const result = await end;
    lifecycle.hasEnded = true;
    // A run that has ended cannot be signalled any more.
    await steered.catch(() => undefined);
    return result;
  }
}

/** What is wrong with the end of a run; null if nothing is. */
async function faultOf(
  { id, kind, steering, ended }: Pick<Lifecycle, 'id' | 'kind' | 'steering'> & { ended: Awaited<Lifecycle['end']> },
  jobs: readonly AnyJob[],
): Promise<string | null> {
  const fault = (what: string) => `${id} (${steering}): ${what}`;
  const [job, ...duplicates] = jobs.filter((one) => ownerOf(one) === id);
  if (ended instanceof Error) return fault(ended.cause instanceof Error ? ended.cause.message : ended.message);
  if (duplicates.length > 0) return fault(`${duplicates.length + 1} jobs`);
  if (ended === 'Cancelled') return steering === 'native' ? null : fault('Cancelled without a request');
  const { status } = ended;
  if (!job) return status === 'cancelled' && steering !== 'none' ? null : fault(`${status} without a job`);
  if (job.status !== status) return fault(`${status}, but the job is ${job.status}`);
  if (status === 'cancelled' && steering === 'none') return fault('cancelled without a request');
  const content = kind === 'batch' ? linesFault(ended as BatchResult) : eventsFault(ended as FineTuningResult);
  const what = await content;
  return what === null ? null : fault(what);
}

async function linesFault(result: BatchResult): Promise<string | null> {
  if (totalOf(result) !== LINES || result.lines.missing > 0) return JSON.stringify(result.lines);
  const lines = [...(await readLines(result.output?.uri)), ...(await readLines(result.errors?.uri))];
  const ids = new Set(lines.map((line) => line.custom_id));
  if (lines.length !== LINES || ids.size !== LINES) return `${lines.length} lines, ${ids.size} ids`;
  // What a killed worker was writing remains under a hidden name, which storage does not list.
  const remaining = (await readdir(new URL('.', result.output?.uri ?? result.errors?.uri ?? ''))).filter(
    (name) => !['output.jsonl', 'errors.jsonl', 'manifest.json'].includes(name) && !/^\.llm-jobs-.*\.part$/.test(name),
  );
  return remaining.length > 0 ? `remaining files: ${remaining.join(', ')}` : null;
}

async function eventsFault(result: FineTuningResult): Promise<string | null> {
  const events = await readLines(result.events?.uri);
  const ids = new Set(events.map((event) => event.id));
  if (events.length === 0 || ids.size !== events.length) return `${events.length} events, ${ids.size} ids`;
  const isWhole = result.status !== 'succeeded' || (result.fineTunedModel !== null && result.resultFiles.length > 0);
  return isWhole ? null : 'succeeded without a model or its result files';
}
