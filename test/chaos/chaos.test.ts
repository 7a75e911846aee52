/**
 * Lifecycles whose workers are killed at any moment: a real Temporal server, the local API, and worker processes that get SIGKILL. At the end
 * the provider, the storage and Temporal are compared. `npm run test:chaos` runs a hundred.
 */
import { readdir, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledFailure, WorkflowFailedError } from '@temporalio/client';
import { expect, test } from 'vitest';
import { JOB_KEY, jobOwnerOf, type BatchResult, type FileRef, type FineTuningResult } from '../../src/index.js';
import { randomFor } from '../../src/testing/random.js';
import { workerProcessStage } from '../support/stage.js';
import { endpoint, readLines, TERMINAL_STATUSES } from '../support/runs.js';
import type { WorkerProcess } from '../../dev/stage/worker-process.js';
import { chatExamples, chatRequests } from '../support/samples.js';

const LIFECYCLES = Number(process.env.LLM_JOBS_CHAOS ?? 12);
const SEED = Number(process.env.LLM_JOBS_CHAOS_SEED ?? 1);
const WORKERS = 2;
const LINES = 40;
/** Between two starts, in ms, so that kills meet runs in all their phases. */
const PACE = 500;

/** How a run is steered, by its number. */
const STEERING = ['none', 'none', 'signal', 'none', 'native', 'none'] as const;
type Steering = (typeof STEERING)[number];

/** An hour is a second. */
const HOUR = 3_600_000;
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

test(
  `${LIFECYCLES} lifecycles and more, workers killed at random → every end correct, every line once, no job twice`,
  { timeout: 120_000 + LIFECYCLES * 4_000 },
  async () => {
    widenTheWindows();
    const workers = await Promise.all(Array.from({ length: WORKERS }, () => startWorker()));
    const began = Date.now();
    const lifecycles: Lifecycle[] = [];
    const input = { uri: await stage.write(chatRequests(LINES)) };
    const trainingFile = { uri: await stage.write(chatExamples(12)) };
    let isOver = false;
    const kills = killing(workers, lifecycles, () => isOver);
    // As many as it takes until enough of them have met a kill.
    for (let number = 0; lifecycles.filter(isStruck).length < LIFECYCLES && number < 2 * LIFECYCLES; number += 1) {
      lifecycles.push(await start(number, input, trainingFile));
      await sleep(PACE);
    }
    isOver = true;
    const { killed, inCreate } = await kills;
    const ends = await Promise.all(lifecycles.map(async (one) => ({ ...one, ended: await one.end })));
    const seconds = Math.round((Date.now() - began) / 1_000);

    const jobs = [...(await stage.api.batches()), ...(await stage.api.fineTuningJobs())];
    const faults = await Promise.all(ends.map((one) => faultOf(one, jobs)));
    const wrong = faults.filter((fault) => fault !== null);
    const owners = jobs.map(ownerOf);
    const report = {
      lifecycles: lifecycles.length,
      correct: lifecycles.length - wrong.length,
      kills: killed,
      killsWithACreateUnderWay: inCreate,
      lifecyclesThatMetAKill: lifecycles.filter(isStruck).length,
      cancelledRuns: ends.filter(({ steering }) => steering !== 'none').length,
      jobs: jobs.length,
      duplicateJobs: owners.length - new Set(owners).size,
      jobsWithoutEnd: jobs.filter(({ status }) => !TERMINAL_STATUSES.includes(status)).length,
      seconds,
      seed: SEED,
    };
    console.log(JSON.stringify(report));
    if (process.env.LLM_JOBS_CHAOS_REPORT) await writeFile(process.env.LLM_JOBS_CHAOS_REPORT, JSON.stringify(report));

    expect(wrong).toEqual([]);
    expect(report).toMatchObject({ duplicateJobs: 0, jobsWithoutEnd: 0 });
    expect(report.lifecyclesThatMetAKill).toBeGreaterThanOrEqual(LIFECYCLES);
  },
);

/** Requests take their time, so that many a kill falls between what the provider did and what Temporal hears of it. */
function widenTheWindows(): void {
  const windows = [
    {
      on: ['batches.create', 'fineTuning.create'],
      effect: { kind: 'delay', ms: 1_500, handled: true },
      probability: 0.5,
    },
    { on: ['batches.create', 'fineTuning.create'], effect: 'lostAnswer', probability: 0.15 },
    { on: 'files.create', effect: { kind: 'delay', ms: 700, handled: true }, probability: 0.3 },
    { on: 'files.content', effect: { kind: 'delay', ms: 700 }, probability: 0.3 },
    { on: 'files.content', effect: 'cutBody', probability: 0.2 },
  ] as const;
  for (const window of windows) stage.api.faults.add({ times: Infinity, ...window });
}

const startWorker = () => stage.startWorker({ LLM_JOBS_POLL_MIN: '500ms', LLM_JOBS_POLL_MAX: '1s' });

async function start(number: number, input: { uri: string }, trainingFile: { uri: string }): Promise<Lifecycle> {
  const id = `chaos-${SEED}-${number}-${stage.temporal.taskQueue}`;
  const kind = number % 2 === 0 ? 'batch' : 'fineTuning';
  const steering = STEERING[Math.floor(number / 2) % STEERING.length] ?? 'none';
  const options = { workflowId: id };
  const run =
    kind === 'batch'
      ? await stage.jobs.startBatch({ input, endpoint, cleanup: { input: true } }, options)
      : await stage.jobs.startFineTuning(
          { model: 'gpt-4o-mini-2024-07-18', trainingFile, cleanup: { input: true } },
          options,
        );
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
  // A run that has ended before it is steered is no longer there to be signalled.
  const lifecycle: Lifecycle = { id, kind, steering, kills: 0, hasEnded: false, end: over() };
  return lifecycle;

  async function over() {
    const [result] = await Promise.all([end, steered.catch(() => undefined)]);
    lifecycle.hasEnded = true;
    return result;
  }
}

/** Kills a worker at any moment, or all of them while a create is under way, and puts others in their place. */
async function killing(
  workers: WorkerProcess[],
  lifecycles: readonly Lifecycle[],
  isOver: () => boolean,
): Promise<{ killed: number; inCreate: number }> {
  let killed = 0;
  let inCreate = 0;
  await sleep(1_000);
  while (!isOver()) {
    const patience = random() < 0.5 ? Date.now() + 2_000 : 0;
    while (!isCreating() && Date.now() < patience) await sleep(20);
    const isAimed = isCreating();
    const victims = isAimed ? workers.map((_, index) => index) : [Math.floor(random() * workers.length)];
    if (isAimed) inCreate += 1;
    for (const one of lifecycles) if (!one.hasEnded) one.kills += victims.length;
    await Promise.all(
      victims.map(async (index) => {
        await workers[index]?.stop('SIGKILL');
        killed += 1;
        workers[index] = await startWorker();
      }),
    );
    await sleep(300 + random() * 1_000);
  }
  return { killed, inCreate };
}

const isStruck = ({ kills }: Lifecycle): boolean => kills > 0;

/** A create is committed or about to be, and its answer is still to come. */
function isCreating(): boolean {
  return stage.api.requests.some(({ operation, status, fault }) => {
    const isCreate = operation === 'batches.create' || operation === 'fineTuning.create';
    return isCreate && status === undefined && fault !== 'lostAnswer';
  });
}

/** What is wrong with how a run ended, or null. */
async function faultOf(
  { id, kind, steering, ended }: Pick<Lifecycle, 'id' | 'kind' | 'steering'> & { ended: Awaited<Lifecycle['end']> },
  jobs: readonly AnyJob[],
): Promise<string | null> {
  const own = jobs.filter((job) => ownerOf(job) === id);
  const says = (what: string) => `${id} (${steering}): ${what}`;
  if (ended instanceof Error) return says(ended.cause instanceof Error ? ended.cause.message : ended.message);
  if (own.length > 1) return says(`${own.length} jobs`);
  if (ended === 'Cancelled') return steering === 'native' ? null : says('Cancelled, and nobody asked');
  const [job] = own;
  const { status } = ended;
  if (!job) return status === 'cancelled' && steering !== 'none' ? null : says(`${status} without a job`);
  if (job.status !== status) return says(`${status}, and the job is ${job.status}`);
  if (status === 'cancelled' && steering === 'none') return says('cancelled, and nobody asked');
  return kind === 'batch' ? linesFault(ended as BatchResult, says) : eventsFault(ended as FineTuningResult, says);
}

async function linesFault(result: BatchResult, says: (what: string) => string): Promise<string | null> {
  const { succeeded, failed, unfinished, missing } = result.lines;
  if (succeeded + failed + unfinished + missing !== LINES || missing > 0) return says(JSON.stringify(result.lines));
  const lines = [...(await linesOf(result.output)), ...(await linesOf(result.errors))];
  const ids = new Set(lines.map((line) => line.custom_id));
  if (lines.length !== LINES || ids.size !== LINES) return says(`${lines.length} lines, ${ids.size} ids`);
  // What a killed worker was writing stays behind under a hidden name, which storage does not list.
  const left = (await readdir(new URL('.', result.output?.uri ?? result.errors?.uri ?? ''))).filter(
    (name) => !['output.jsonl', 'errors.jsonl', 'manifest.json'].includes(name) && !/^\.llm-jobs-.*\.part$/.test(name),
  );
  return left.length > 0 ? says(`left behind: ${left.join(', ')}`) : null;
}

async function eventsFault(result: FineTuningResult, says: (what: string) => string): Promise<string | null> {
  const events = await linesOf(result.events);
  const ids = new Set(events.map((event) => event.id));
  if (events.length === 0 || ids.size !== events.length) return says(`${events.length} events, ${ids.size} ids`);
  const isWhole = result.status !== 'succeeded' || (result.fineTunedModel !== null && result.resultFiles.length > 0);
  return isWhole ? null : says('succeeded without a model or its result files');
}

async function linesOf(file: FileRef | null): Promise<Record<string, unknown>[]> {
  return file ? readLines(file.uri) : [];
}

interface AnyJob {
  readonly status: string;
  readonly metadata?: unknown;
}

function ownerOf({ metadata }: AnyJob): string | undefined {
  return jobOwnerOf((metadata as Record<string, string> | null)?.[JOB_KEY] ?? '')?.workflowId;
}
