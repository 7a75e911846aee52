import { ApiError, notFound } from '../api-error.js';
import type { Endpoint, Operation, ServedCall } from '../server/endpoint.js';
import { pageOf, readPage, type ListPage } from '../server/paging.js';
import type { World } from '../world.js';
import { checkpointsOf } from './checkpoints.js';
import { fineTuningEvents } from './fine-tuning-events.js';
import { fineTuningObject, shownJob } from './fine-tuning-object.js';
import { jobStateAt, type FineTuningRecord } from './fine-tuning-record.js';
import { isJobEnd } from './fine-tuning-timeline.js';
import { readJob } from './read-job.js';

const PATH = '/v1/fine_tuning/jobs';
const DAY_MS = 24 * 3_600_000;

export function fineTuningEndpoints(world: World): Endpoint[] {
  const { jobs, seed } = world;

  const existing = (call: ServedCall, now: number): { record: FineTuningRecord; shown: unknown } => {
    const id = call.id ?? '';
    const record = jobs.find(id);
    const counted = call.operation === 'fineTuning.retrieve';
    const shown = record === undefined ? undefined : shownJob(record, now, { counted });
    if (record === undefined || shown === undefined) throw notFound('FineTuningJob', id);
    return { record, shown };
  };

  const create = (call: ServedCall, now: number): unknown => {
    const order = readJob(call.body, world, now);
    checkQuota(world, order.model, now);
    const { model, trainingFile, suffix, metadata } = order;
    const scenario = world.jobScenarios.take({ model, trainingFile, suffix, metadata: metadata ?? {} });
    return fineTuningObject(jobs.create(order, scenario, now), now);
  };

  /** An endpoint that changes a job. */
  const action = (
    name: 'cancel' | 'pause' | 'resume',
    change: (record: FineTuningRecord, now: number) => void,
  ): Endpoint => ({
    operation: `fineTuning.${name}` satisfies Operation,
    method: 'POST',
    path: `${PATH}/:id/${name}`,
    handle: (call) =>
      world.visit((now) => {
        const { record } = existing(call, now);
        change(record, now);
        return { json: shownJob(record, now, { counted: false }) };
      }),
  });

  return [
    {
      operation: 'fineTuning.create',
      method: 'POST',
      path: PATH,
      handle: (call) => world.visit((now) => ({ json: create(call, now) })),
    },
    {
      operation: 'fineTuning.list',
      method: 'GET',
      path: PATH,
      handle: (call) =>
        world.visit((now) => {
          const page = readPage(call.query, { defaultLimit: 20, maxLimit: 100 });
          const wanted = metadataFilter(call.query);
          const shown = jobs
            .list()
            .filter((record) => wanted(record.order.metadata ?? {}))
            .flatMap((record) => shownJob(record, now, { counted: false }) ?? []);
          return { json: pageOf(shown as { id: string }[], page) };
        }),
    },
    {
      operation: 'fineTuning.retrieve',
      method: 'GET',
      path: `${PATH}/:id`,
      handle: (call) => world.visit((now) => ({ json: existing(call, now).shown })),
    },
    action('cancel', cancel),
    action('pause', pause),
    action('resume', resume),
    {
      operation: 'fineTuning.events',
      method: 'GET',
      path: `${PATH}/:id/events`,
      handle: (call) =>
        world.visit((now) => {
          const { record } = existing(call, now);
          const request = readPage(call.query, { defaultLimit: 20, maxLimit: 100 });
          const page = pageOf(fineTuningEvents(record, now, seed), request);
          const overlaps = record.scenario.events === 'duplicated' && request.limit > 1;
          if (!overlaps || request.after === undefined) return { json: page };
          return { json: overlapped(page, fineTuningEvents(record, now, seed), request.after) };
        }),
    },
    {
      operation: 'fineTuning.checkpoints',
      method: 'GET',
      path: `${PATH}/:id/checkpoints`,
      handle: (call) =>
        world.visit((now) => {
          const { record } = existing(call, now);
          const request = readPage(call.query, { defaultLimit: 10, maxLimit: 100 });
          return { json: pageOf(checkpointsOf(record, now, seed), request) };
        }),
    },
  ];
}

// What the API answers to a cancel of a job that has ended is not documented; an error is the harder case for a caller.
function cancel(record: FineTuningRecord, now: number): void {
  const { status } = jobStateAt(record, now);
  if (isJobEnd(status)) {
    throw new ApiError(400, `Job has already completed: ${record.id} (status: ${status}).`, {
      code: 'invalid_job_status',
    });
  }
  record.cancelledAt = now;
}

function pause(record: FineTuningRecord, now: number): void {
  const { status } = jobStateAt(record, now);
  if (status !== 'running' && status !== 'queued') throw wrongStatus('pause', status);
  record.pauses.push({ pausedAt: now });
}

function resume(record: FineTuningRecord, now: number): void {
  const { status } = jobStateAt(record, now);
  if (status !== 'paused') throw wrongStatus('resume', status);
  record.pauses.at(-1)!.resumedAt = now;
}

function wrongStatus(action: string, status: string): ApiError {
  return new ApiError(400, `Cannot ${action} a job with status '${status}'.`, { code: 'invalid_job_status' });
}

/** `metadata[key]=value` pairs, all of which must fit. */
function metadataFilter(query: Record<string, string | undefined>): (metadata: Record<string, string>) => boolean {
  const wanted = Object.entries(query).flatMap(([name, value]) => {
    const key = /^metadata\[(.*)\]$/u.exec(name)?.[1];
    return key === undefined ? [] : [[key, value] as const];
  });
  return (metadata) => wanted.every(([key, value]) => metadata[key] === value);
}

function checkQuota(world: World, model: string, now: number): void {
  const { concurrentFineTuningJobs, fineTuningJobsPerDay } = world.limits;
  const own = world.jobs.list().filter((record) => record.order.model === model);
  const states = own.map((record) => jobStateAt(record, now).status).filter((status) => !isJobEnd(status));
  if (states.length >= concurrentFineTuningJobs) {
    const running = states.filter((status) => status === 'running').length;
    throw limited(
      `This fine-tune request has been rate limited. Your organization has reached the maximum of ${concurrentFineTuningJobs} active requests (${running} running, ${states.length - running} pending) for the model '${model}'.`,
      'rate_limit_exceeded',
    );
  }
  if (own.filter((record) => record.plan.createdAt > now - DAY_MS).length >= fineTuningJobsPerDay) {
    throw limited(
      `This fine-tune request has been rate limited. Your organization has reached the maximum of ${fineTuningJobsPerDay} requests per day for the model '${model}'.`,
      'daily_rate_limit_exceeded',
    );
  }
}

const limited = (message: string, code: string): ApiError =>
  new ApiError(429, message, { type: 'invalid_request_error', code });

/** The page with the last item of the one before at its head: items have moved between two requests. */
function overlapped<T extends { id: string }>(page: ListPage<T>, all: readonly T[], after: string): ListPage<T> {
  const previous = all.find(({ id }) => id === after);
  return previous === undefined ? page : { ...page, data: [previous, ...page.data] };
}
