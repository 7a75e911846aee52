import { ApiError, invalidValue, notFound } from '../api-error.js';
import { readExpiresAfter } from '../files/expires-after.js';
import { readObject, requiredString } from '../json-body.js';
import { readMetadata } from '../metadata.js';
import type { Endpoint, ServedCall } from '../server/endpoint.js';
import { pageOf, readPage } from '../server/paging.js';
import type { World } from '../world.js';
import { batchObject, shownBatch } from './batch-object.js';
import { stateAt, type BatchOrder, type BatchRecord } from './batch-record.js';
import { isEnd } from './batch-timeline.js';
import { BATCH_ENDPOINTS } from './inspect-input.js';

const HOUR_MS = 3_600_000;

export function batchEndpoints(world: World): Endpoint[] {
  const { batches } = world;

  const existing = (call: ServedCall, now: number): { record: BatchRecord; shown: unknown } => {
    const id = call.id ?? '';
    const record = batches.find(id);
    const counted = call.operation === 'batches.retrieve';
    const shown = record === undefined ? undefined : shownBatch(record, now, { counted });
    if (record === undefined || shown === undefined) throw notFound('Batch', id);
    return { record, shown };
  };

  const create = async (call: ServedCall, now: number): Promise<unknown> => {
    const order = readOrder(call.body, world);
    checkInputFile(order, world, now);
    const { batchesPerHour } = world.limits;
    if (batches.createdSince(now - HOUR_MS) >= batchesPerHour) {
      throw new ApiError(
        429,
        `Rate limit reached for batch creation. Limit: ${batchesPerHour} batches per hour. Please try again later.`,
        { code: 'rate_limit_exceeded', headers: { 'retry-after': '60' } },
      );
    }
    const { endpoint, inputFileId, metadata } = order;
    const scenario = world.batchScenarios.take({ endpoint, inputFileId, metadata: metadata ?? {} });
    const record = batches.create(order, scenario, now);
    // Without any durations it is over at once.
    await batches.settle(now);
    return batchObject(record, now);
  };

  const cancel = async (call: ServedCall, now: number): Promise<unknown> => {
    const { record, shown } = existing(call, now);
    const { status } = stateAt(record, now);
    if (isEnd(status) && status !== 'cancelled') {
      throw new ApiError(409, `Cannot cancel a batch with status '${status}'.`);
    }
    if (status === 'cancelling' || status === 'cancelled') return shown;
    record.cancelledAt = now;
    await batches.settle(now);
    return shownBatch(record, now, { counted: false });
  };

  return [
    {
      operation: 'batches.create',
      method: 'POST',
      path: '/v1/batches',
      handle: (call) => world.visit(async (now) => ({ json: await create(call, now) })),
    },
    {
      operation: 'batches.list',
      method: 'GET',
      path: '/v1/batches',
      handle: (call) =>
        world.visit((now) => {
          const page = readPage(call.query, { defaultLimit: 20, maxLimit: 100 });
          const shown = batches.list().flatMap((record) => shownBatch(record, now, { counted: false }) ?? []);
          return { json: pageOf(shown as { id: string }[], page) };
        }),
    },
    {
      operation: 'batches.retrieve',
      method: 'GET',
      path: '/v1/batches/:id',
      handle: (call) => world.visit((now) => ({ json: existing(call, now).shown })),
    },
    {
      operation: 'batches.cancel',
      method: 'POST',
      path: '/v1/batches/:id/cancel',
      handle: (call) => world.visit(async (now) => ({ json: await cancel(call, now) })),
    },
  ];
}

function readOrder(raw: unknown, world: World): BatchOrder {
  const body = readObject(raw);
  const inputFileId = requiredString(body, 'input_file_id');
  const endpoint = requiredString(body, 'endpoint');
  if (!(BATCH_ENDPOINTS as readonly string[]).includes(endpoint)) {
    throw invalidValue('endpoint', endpoint, BATCH_ENDPOINTS);
  }
  const completionWindow = requiredString(body, 'completion_window');
  const { completionWindows } = world.limits;
  if (!completionWindows.includes(completionWindow)) {
    throw invalidValue('completion_window', completionWindow, completionWindows);
  }
  return {
    inputFileId,
    endpoint,
    completionWindow,
    metadata: readMetadata(body.metadata),
    outputExpiresAfter: readExpiresAfter('output_expires_after', body.output_expires_after),
  };
}

/** A file that does not exist is found out by validation only, later; a file of another purpose is refused at once. */
function checkInputFile(order: BatchOrder, world: World, now: number): void {
  const file = world.files.find(order.inputFileId, now);
  if (file !== undefined && file.purpose !== 'batch') {
    throw new ApiError(400, `Invalid file purpose: '${file.purpose}'. The input file must have the purpose 'batch'.`, {
      param: 'input_file_id',
      code: 'invalid_file_purpose',
    });
  }
}
