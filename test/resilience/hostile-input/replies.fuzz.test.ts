/** Whatever the API replies, an activity returns or fails with a known type, and a run ends in a known way. */
import { readdir } from 'node:fs/promises';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Activities } from '../../../src/activities/index.js';
import { FAILURES } from '../../../src/index.js';
import { ManualClock, type Operation } from '../../../src/testing/index.js';
import { clientOf, stageActivities, startBackend, type Backend } from '../../../dev/stage/backend.js';
import { timeSkippingStage } from '../../support/stage.js';
import { devServer } from '../../support/temporal.js';
import { totalOf } from '../../support/runs.js';
import { anyJson, anyOf, fuzzRuns } from '../../support/fuzz.js';
import { chatExamples, chatRequests, jsonl } from '../../support/samples.js';

const RUNS = fuzzRuns(100);
const KNOWN = Object.keys(FAILURES);

const text = fc.oneof(
  fc.constantFrom(
    '',
    '..',
    '../../../escape',
    'a/b',
    'a\u0000b',
    'x'.repeat(5_000),
    'completed',
    'failed',
    'Cancelled',
    '\ud800',
  ),
  fc.string({ unit: 'binary' }),
);
const time = fc.oneof(fc.constantFrom<unknown>(0, -1, 1e300, 'tomorrow', '2026-01-01', null), fc.double());
const fields = fc.record(
  {
    id: text,
    status: text,
    metadata: anyJson,
    errors: anyJson,
    error: anyJson,
    request_counts: anyJson,
    output_file_id: text,
    error_file_id: text,
    result_files: fc.oneof(fc.array(text), anyJson),
    data: anyJson,
    has_more: anyJson,
    created_at: time,
    expires_at: time,
    bytes: anyJson,
    filename: anyJson,
  },
  { requiredKeys: [] },
);
/** Replaces a reply by any value, by an object with the right names, or by the real reply with some fields changed. */
const changes = fc.oneof(
  anyJson.map((value) => () => value),
  anyOf(['id', 'object', 'status', 'data', 'has_more', 'job', 'error']).map((value) => () => value),
  fields.map((changed) => (reply: unknown) => ({ ...(reply as object), ...changed })),
);

/** What an attempt leaves whose answer was lost, so that the next one looks for its job. */
const AFTER_A_LOST_ANSWER = {
  attempt: 1,
  hasEnded: true,
  withUnknownOutcome: 1,
  mayBeUnderWay: false,
  isSearchDue: false,
  search: { after: null, read: 0, newest: null, notBefore: null, found: [], unclear: [] },
};

const temporal = devServer();

const file = (lines: readonly unknown[]) => new File([jsonl(lines)], 'input.jsonl');

describe('an activity', () => {
  let backend: Backend;
  let activities: Activities;
  const known = { batch: '', job: '', file: '' };
  let environment: MockActivityEnvironment;

  beforeAll(async () => {
    backend = await startBackend({ clock: new ManualClock() });
    activities = stageActivities(backend);
    environment = new MockActivityEnvironment(
      { attempt: 2, heartbeatDetails: AFTER_A_LOST_ANSWER },
      { logger: new DefaultLogger('ERROR'), client: temporal.client },
    );
    const client = clientOf(backend.api, { maxRetries: 0 });
    known.file = (await client.files.create({ file: file(chatRequests(2)), purpose: 'batch' })).id;
    const batch = await client.batches.create({
      input_file_id: known.file,
      endpoint: '/v1/chat/completions',
      completion_window: '24h',
    });
    known.batch = batch.id;
    const training = await client.files.create({ file: file(chatExamples(10)), purpose: 'fine-tune' });
    const job = await client.fineTuning.jobs.create({ model: 'gpt-4o-mini-2024-07-18', training_file: training.id });
    known.job = job.id;
  });
  afterAll(() => backend.stop());

  const provider = 'default';
  const search = { provider, owner: { namespace: 'a', workflowId: 'b', runId: 'c' }, inputFile: null, startedAt: 0 };
  const watch = (id: string, status: string) => ({
    provider,
    id,
    status,
    isMissing: false,
    reportFrom: null,
    createdAt: null,
    expiresAt: null,
    poll: { minMs: null, maxMs: null },
  });
  const create = { ...search, mayExist: false, metadata: {}, onAmbiguousCreate: 'fail' } as const;

  const CALLS: Partial<Record<Operation, () => Promise<unknown>>> = {
    'batches.create': () =>
      activities.createBatch({
        ...create,
        inputFileId: known.file,
        endpoint: '/v1/chat/completions',
        completionWindow: '24h',
        extraBody: {},
        counted: null,
        outputExpiresAfterSeconds: null,
      }),
    'batches.list': () => activities.cancelDuplicateBatches({ ...search, id: known.batch }),
    'batches.retrieve': () => activities.watchBatch({ ...watch(known.batch, 'validating'), isHalfDone: false }),
    'batches.cancel': () => activities.cancelBatch({ provider, id: known.batch, isAgain: false }),
    'fineTuning.create': () =>
      activities.createFineTuningJob({
        ...create,
        model: 'gpt-4o-mini-2024-07-18',
        trainingFileId: known.file,
        validationFileId: null,
        method: null,
        suffix: null,
        seed: null,
        integrations: null,
        extraBody: {},
        leaveFreeSlots: 0,
      }),
    'fineTuning.list': () => activities.cancelDuplicateFineTuningJobs({ ...search, id: known.job }),
    'fineTuning.retrieve': () => activities.watchFineTuningJob(watch(known.job, 'validating_files')),
    'fineTuning.cancel': () => activities.cancelFineTuningJob({ provider, id: known.job, isAgain: false }),
    'files.list': async () =>
      activities.uploadFile({
        provider,
        file: { uri: await backend.folder.write(chatRequests(1)), bytes: 1, sha256: '0' },
        purpose: 'batch',
        filename: 'x.jsonl',
        expiresAfterSeconds: 3_600,
        notBefore: 0,
        mayExist: true,
      }),
  };

  test.each(Object.keys(CALLS) as Operation[])(
    '%s: any reply → a return value, or a failure of a known type',
    async (operation) => {
      await fc.assert(
        fc.asyncProperty(changes, async (change) => {
          const fault = backend.api.faults.add({ on: operation, times: Infinity, effect: { kind: 'mutate', change } });
          const failure: unknown = await environment
            .run(() => CALLS[operation]?.() ?? Promise.reject(new Error('no call')))
            .then(
              () => null,
              (error: unknown) => error,
            );
          fault.remove();
          const type = failure instanceof ApplicationFailure ? failure.type : failure;
          expect([null, ...KNOWN.filter((name) => name !== 'UnexpectedError')]).toContain(type);
        }),
        { numRuns: Math.ceil(RUNS / 5), endOnFailure: true },
      );
    },
  );
});

describe('a run', () => {
  const stage = timeSkippingStage();
  const OPERATIONS = [
    'files.create',
    'batches.create',
    'batches.retrieve',
    'files.retrieve',
    'fineTuning.create',
    'fineTuning.retrieve',
    'fineTuning.events',
    'fineTuning.checkpoints',
  ] as const;
  const poll = { min: '3h', max: '3h' };

  test(
    'any replies to any operation → a known end, every line accounted for, nothing outside its folder',
    async () => {
      const before = await readdir(new URL(stage.root));
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...OPERATIONS),
          changes,
          fc.integer({ min: 1, max: 3 }),
          async (on, change, times) => {
            const fault = stage.api.faults.add({ on, times, effect: { kind: 'mutate', change } });
            const run = on.startsWith('fineTuning')
              ? await stage.jobs.startFineTuning({
                  model: 'gpt-4o-mini-2024-07-18',
                  trainingFile: { uri: await stage.write(chatExamples(10)) },
                  deadline: '30d',
                  poll,
                })
              : await stage.jobs.startBatch({
                  input: { requests: chatRequests(4) },
                  endpoint: '/v1/chat/completions',
                  deadline: '30d',
                  poll,
                });
            const end = await run.result().then(
              (result) => ({ status: result.status as string, sum: 'lines' in result ? totalOf(result) : 4 }),
              (error: { cause?: { type?: unknown } }) => ({ status: String(error.cause?.type), sum: 4 }),
            );
            fault.remove();
            expect(['cancelled', 'completed', 'expired', 'succeeded', ...KNOWN]).toContain(end.status);
            expect(end.sum).toBe(4);
          },
        ),
        { numRuns: Math.ceil(RUNS / 5), endOnFailure: true },
      );
      expect(stage.failures()).not.toContain('UnexpectedError');
      expect((await readdir(new URL('..', stage.root))).filter((name) => name.includes('escape'))).toEqual([]);
      expect(before).toEqual([]);
    },
    300_000 + RUNS * 1_000,
  );
});
