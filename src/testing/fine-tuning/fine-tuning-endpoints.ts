import { ApiError } from '../api-error.js';
import { jsonEndpoint, type ApiState } from '../api-state.js';
import { findShown } from '../job-reads.js';
import type { Endpoint, ServedCall } from '../server/endpoint.js';
import { isListable, pageOf, readPageQuery, type ListPage } from '../server/paging.js';
import type { WireCheckpoint, WireFineTuningEvent } from '../wire.js';
import { checkpointsOf } from './checkpoints.js';
import { fineTuningEvents } from './fine-tuning-events.js';
import { fineTuningObject, shownFineTuningJob } from './fine-tuning-object.js';
import { readFineTuningParams } from './fine-tuning-params.js';
import { fineTuningStateAt, type FineTuningRecord } from './fine-tuning-record.js';
import { isFineTuningEnd } from './fine-tuning-timeline.js';

const PATH = '/v1/fine_tuning/jobs';
const ONE = `${PATH}/:id`;
const DAY_MS = 24 * 3_600_000;

export function fineTuningEndpoints(state: ApiState): Endpoint[] {
  return [
    jsonEndpoint(state, { operation: 'fineTuning.create', method: 'POST', path: PATH }, createFineTuningJob),
    jsonEndpoint(state, { operation: 'fineTuning.list', method: 'GET', path: PATH }, listFineTuningJobs),
    jsonEndpoint(state, { operation: 'fineTuning.retrieve', method: 'GET', path: ONE }, retrieveFineTuningJob),
    jsonEndpoint(state, { operation: 'fineTuning.cancel', method: 'POST', path: `${ONE}/cancel` }, changing(cancel)),
    jsonEndpoint(state, { operation: 'fineTuning.pause', method: 'POST', path: `${ONE}/pause` }, changing(pause)),
    jsonEndpoint(state, { operation: 'fineTuning.resume', method: 'POST', path: `${ONE}/resume` }, changing(resume)),
    jsonEndpoint(state, { operation: 'fineTuning.events', method: 'GET', path: `${ONE}/events` }, listEvents),
    jsonEndpoint(
      state,
      { operation: 'fineTuning.checkpoints', method: 'GET', path: `${ONE}/checkpoints` },
      listCheckpoints,
    ),
  ];
}

function createFineTuningJob(state: ApiState, call: ServedCall, now: number): unknown {
  const params = readFineTuningParams(call.body, state, now);
  const { model, trainingFile, suffix, metadata } = params;
  checkRateLimits(state, model, now);
  const created = { model, trainingFile, suffix, metadata: metadata ?? {} };
  const scenario = state.scenarios.takeForFineTuningJob(created);
  return fineTuningObject(state.fineTuningJobs.create(params, scenario, now), now);
}

function checkRateLimits({ fineTuningJobs, limits }: ApiState, model: string, now: number): void {
  const { concurrentFineTuningJobs, fineTuningJobsPerDay } = limits;
  const ofModel = fineTuningJobs.list().filter((record) => record.params.model === model);
  const active = ofModel
    .map((record) => fineTuningStateAt(record, now).status)
    .filter((status) => !isFineTuningEnd(status));
  if (active.length >= concurrentFineTuningJobs) {
    const running = active.filter((status) => status === 'running').length;
    throw rateLimited(
      `${concurrentFineTuningJobs} active requests (${running} running, ${active.length - running} pending)`,
      model,
      'rate_limit_exceeded',
    );
  }
  if (ofModel.filter(({ createdAt }) => createdAt > now - DAY_MS).length >= fineTuningJobsPerDay) {
    throw rateLimited(`${fineTuningJobsPerDay} requests per day`, model, 'daily_rate_limit_exceeded');
  }
}

function rateLimited(maximum: string, model: string, code: string): ApiError {
  const message = `This fine-tune request has been rate limited. Your organization has reached the maximum of ${maximum} for the model '${model}'.`;
  return new ApiError(429, message, { type: 'invalid_request_error', code });
}

function listFineTuningJobs({ fineTuningJobs }: ApiState, call: ServedCall, now: number): unknown {
  const query = readPageQuery(call, { defaultLimit: 20, maxLimit: 100 });
  const pairs = metadataPairs(call);
  const shown = fineTuningJobs
    .list()
    .filter(({ params }) => pairs.every(([key, value]) => params.metadata?.[key] === value))
    .map((record) => shownFineTuningJob(record, now, { counted: false }));
  return pageOf(shown.filter(isListable), query);
}

/** The filter `metadata[key]=value` of a query; all pairs must match. */
function metadataPairs({ query }: ServedCall): (readonly [string, string | undefined])[] {
  return Object.entries(query).flatMap(([name, value]) => {
    const key = /^metadata\[(.*)\]$/u.exec(name)?.[1];
    return key === undefined ? [] : [[key, value] as const];
  });
}

type Found = { readonly record: FineTuningRecord; readonly shown: unknown };

function findFineTuningJob({ fineTuningJobs }: ApiState, call: ServedCall, now: number): Found {
  return findShown(fineTuningJobs, call, (record, counting) => shownFineTuningJob(record, now, counting));
}

function retrieveFineTuningJob(state: ApiState, call: ServedCall, now: number): unknown {
  return findFineTuningJob(state, call, now).shown;
}

/** An endpoint that changes a fine-tuning job and returns it. */
function changing(change: (record: FineTuningRecord, now: number) => void) {
  return (state: ApiState, call: ServedCall, now: number): unknown => {
    const { record } = findFineTuningJob(state, call, now);
    change(record, now);
    return shownFineTuningJob(record, now, { counted: false });
  };
}

/**
 * The API's answer to a cancel of a job that has ended is not documented. An error is the harder case for a caller.
 */
function cancel(record: FineTuningRecord, now: number): void {
  const { status } = fineTuningStateAt(record, now);
  if (isFineTuningEnd(status)) {
    throw new ApiError(400, `Job has already completed: ${record.id} (status: ${status}).`, {
      code: 'invalid_job_status',
    });
  }
  record.cancelledAt = now;
}

function pause(record: FineTuningRecord, now: number): void {
  const { status } = fineTuningStateAt(record, now);
  if (status !== 'running' && status !== 'queued') throw wrongStatus('pause', status);
  record.pauses = [...record.pauses, { pausedAt: now, resumedAt: null }];
}

function resume(record: FineTuningRecord, now: number): void {
  const { status } = fineTuningStateAt(record, now);
  if (status !== 'paused') throw wrongStatus('resume', status);
  record.pauses = record.pauses.map((interval) => ({ ...interval, resumedAt: interval.resumedAt ?? now }));
}

function wrongStatus(action: string, status: string): ApiError {
  return new ApiError(400, `Cannot ${action} a job with status '${status}'.`, { code: 'invalid_job_status' });
}

function listEvents(state: ApiState, call: ServedCall, now: number): ListPage<WireFineTuningEvent> {
  const { record } = findFineTuningJob(state, call, now);
  const query = readPageQuery(call, { defaultLimit: 20, maxLimit: 100 });
  const events = fineTuningEvents(record, now, state.seed);
  const page = pageOf(events, query);
  if (record.scenario.events !== 'duplicated' || query.limit === 1) return page;
  // Events that arrive between two requests move the pages, so that the last event of one page begins the next.
  const previous = events.find(({ id }) => id === query.after);
  return previous === undefined ? page : { ...page, data: [previous, ...page.data] };
}

function listCheckpoints(state: ApiState, call: ServedCall, now: number): ListPage<WireCheckpoint> {
  const { record } = findFineTuningJob(state, call, now);
  const query = readPageQuery(call, { defaultLimit: 10, maxLimit: 100 });
  return pageOf(checkpointsOf(record, now, state.seed), query);
}
