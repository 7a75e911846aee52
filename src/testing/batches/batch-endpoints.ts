import { ApiError } from '../api-error.js';
import { jsonEndpoint, type ApiState } from '../api-state.js';
import { findShown } from '../job-reads.js';
import type { Endpoint, ServedCall } from '../server/endpoint.js';
import { isListable, pageOf, readPageQuery } from '../server/paging.js';
import { batchObject, shownBatch } from './batch-object.js';
import { readBatchParams } from './batch-params.js';
import { batchStateAt, type BatchRecord } from './batch-record.js';
import { isBatchEnd } from './batch-timeline.js';

const PATH = '/v1/batches';
const HOUR_MS = 3_600_000;

export function batchEndpoints(state: ApiState): Endpoint[] {
  return [
    jsonEndpoint(state, { operation: 'batches.create', method: 'POST', path: PATH }, createBatch),
    jsonEndpoint(state, { operation: 'batches.list', method: 'GET', path: PATH }, listBatches),
    jsonEndpoint(state, { operation: 'batches.retrieve', method: 'GET', path: `${PATH}/:id` }, retrieveBatch),
    jsonEndpoint(state, { operation: 'batches.cancel', method: 'POST', path: `${PATH}/:id/cancel` }, cancelBatch),
  ];
}

async function createBatch(state: ApiState, call: ServedCall, now: number): Promise<unknown> {
  const { batches, limits, scenarios } = state;
  const params = readBatchParams(call.body, state, now);
  if (batches.createdSince(now - HOUR_MS) >= limits.batchesPerHour) {
    throw new ApiError(
      429,
      `Rate limit reached for batch creation. Limit: ${limits.batchesPerHour} batches per hour. Please try again later.`,
      { code: 'rate_limit_exceeded', headers: { 'retry-after': '60' } },
    );
  }
  const { endpoint, inputFileId, metadata } = params;
  const scenario = scenarios.takeForBatch({ endpoint, inputFileId, metadata: metadata ?? {} });
  const record = batches.create(params, scenario, now);
  // With durations of 0 the batch ends right away.
  await batches.advance(now);
  return batchObject(record, now);
}

function listBatches({ batches }: ApiState, call: ServedCall, now: number): unknown {
  const query = readPageQuery(call, { defaultLimit: 20, maxLimit: 100 });
  const shown = batches.list().map((record) => shownBatch(record, now, { counted: false }));
  return pageOf(shown.filter(isListable), query);
}

function findBatch({ batches }: ApiState, call: ServedCall, now: number): { record: BatchRecord; shown: unknown } {
  return findShown(batches, call, (record, counting) => shownBatch(record, now, counting));
}

function retrieveBatch(state: ApiState, call: ServedCall, now: number): unknown {
  return findBatch(state, call, now).shown;
}

async function cancelBatch(state: ApiState, call: ServedCall, now: number): Promise<unknown> {
  const { record, shown } = findBatch(state, call, now);
  const { status } = batchStateAt(record, now);
  if (isBatchEnd(status) && status !== 'cancelled') {
    throw new ApiError(409, `Cannot cancel a batch with status '${status}'.`);
  }
  if (status === 'cancelling' || status === 'cancelled') return shown;
  record.cancelledAt = now;
  await state.batches.advance(now);
  return shownBatch(record, now, { counted: false });
}
