/** What settling does with files that lie about themselves, with deletion, and with the by-products of a job. */
import { describe, expect, test } from 'vitest';
import type { FaultRule } from '../../../src/testing/index.js';
import { HOUR } from '../../../dev/stage/timing.js';
import { failureOf, readLines } from '../../support/runs.js';
import { faultStage } from '../../support/fault-stage.js';

const {
  stage,
  startBatch,
  startFineTuning: startJob,
} = faultStage({
  requests: 6,
  pollEvery: '10m',
  api: { fineTuning: { runningMs: HOUR } },
});
/** A job that is about to end. */
async function startFineTuning() {
  const run = await startJob();
  await stage.pass('10m');
  return run;
}

const errorDocument = { kind: 'status', status: 200, body: { error: { message: 'try again' } } } as const;
const mutated = (change: (body: Record<string, unknown>) => unknown) =>
  ({ kind: 'mutate', change: (body: unknown) => change(body as Record<string, unknown>) }) as const;

describe('a batch whose counts are too low', () => {
  test.each<[string, FaultRule]>([
    ['a file that is not there yet', { on: 'files.content', effect: 'notFound', times: 4 }],
    ['an error in the place of the file', { on: 'files.content', effect: errorDocument, times: 4 }],
  ])('%s → read again all the same', async (_, rule) => {
    stage.api.scenarios.forNextBatch('countsDoNotSum');
    const fault = stage.api.faults.add(rule);
    const result = await (await startBatch()).result();
    expect(fault.hits).toBe(4);
    expect(result).toMatchObject({ isSettled: true, lines: { succeeded: 6, missing: 0 }, warnings: [] });
  });
});

test('a batch without counts whose file is empty at first → read again', async () => {
  stage.api.scenarios.forNextBatch('nullCounts');
  const empty = { kind: 'status', status: 200, body: '' } as const;
  stage.api.faults.add({ on: 'files.content', effect: empty, times: 3 });
  const result = await (await startBatch()).result();
  expect(result).toMatchObject({ isSettled: true, lines: { succeeded: 6, missing: 0 } });
});

test('a cancelled batch whose file is not there yet → its answers', async () => {
  const run = await startBatch({ deadline: '40m' });
  stage.api.faults.add({ on: 'files.content', effect: 'notFound', times: 5 });
  const result = await run.result();
  expect(result).toMatchObject({ status: 'cancelled', isSettled: true, lines: { missing: 0 } });
  expect(result.lines.succeeded).toBe(result.requestCounts.completed);
  expect(result.lines.succeeded).toBeGreaterThan(0);
});

describe('cleanup', () => {
  test('an output file whose id came late → deleted after it was read', async () => {
    const run = await startBatch({ cleanup: { output: true } });
    await stage.pass('61m');
    const withoutId = mutated((body) => ({ ...body, output_file_id: null }));
    stage.api.faults.add({ on: 'batches.retrieve', effect: withoutId, times: 3 });
    expect(await run.result()).toMatchObject({ isSettled: true, lines: { succeeded: 6 } });
    expect(stage.calls('files.delete')).toHaveLength(1);
  });

  test('an error file that cannot be read, beside an output with every answer → complete, nothing deleted', async () => {
    stage.api.scenarios.forNextBatch({ emptyErrorFile: 'zero-bytes' });
    const run = await startBatch({ cleanup: { output: true } });
    await stage.pass('61m');
    // The output file is read first.
    stage.api.faults.add({ on: 'files.content', effect: 'notFound', skip: 1, times: Infinity });
    expect(await run.result()).toMatchObject({ isSettled: true, lines: { succeeded: 6 }, warnings: [] });
    expect(stage.calls('files.delete')).toEqual([]);
  });
});

describe('a fine-tuning job that succeeded', () => {
  test.each<[string, FaultRule['effect']]>([
    ['405', { kind: 'status', status: 405 }],
    ['403', 'forbidden'],
    ['500', 'serverError'],
  ])('its result files answer %s for ever → its model, and a warning', async (_, effect) => {
    const run = await startFineTuning();
    stage.api.faults.add({ on: 'files.content', effect, times: Infinity });
    const { fineTunedModel, resultFiles, warnings } = await run.result();
    expect(fineTunedModel).toMatch(/^ft:/);
    expect(resultFiles).toEqual([]);
    expect(warnings[0]).toContain("The provider's results are incomplete");
  });

  test('a list answers 500 while the whole API does → waited for, nothing is left out', async () => {
    const run = await startFineTuning();
    const list = 'fineTuning.checkpoints';
    // Only the collection reads the list, and the job is read again after each refusal of it.
    const outage = { effect: 'serverError', times: 8 } as const;
    const faults = [
      stage.api.faults.add({ on: list, ...outage }),
      stage.api.faults.add({ on: 'fineTuning.retrieve', where: () => stage.calls(list).length > 0, ...outage }),
    ];
    const { checkpoints, warnings } = await run.result();
    expect(faults.map(({ hits }) => hits)).toEqual([8, 8]);
    expect(warnings).toEqual([]);
    expect(checkpoints.length).toBeGreaterThan(0);
  });

  test('its events have no ids → each is kept once', async () => {
    const run = await startFineTuning();
    const plain = await readLines((await run.result()).events?.uri);
    stage.api.faults.add({
      on: 'fineTuning.events',
      effect: mutated((page) => ({
        ...page,
        data: [page.data, page.data].flat().map((event) => ({ ...(event as object), id: null })),
      })),
      times: Infinity,
    });
    const events = await readLines((await (await startFineTuning()).result()).events?.uri);
    expect(plain.length).toBeGreaterThan(5);
    expect(events).toHaveLength(plain.length);
  });
});

test('a fine-tuning job whose error has a code only → the last error event is told beside it', async () => {
  stage.api.scenarios.forNextFineTuningJob({
    fail: { in: 'running', code: 'server_error', message: 'The worker ran out of memory' },
    show: (job) => ({ ...job, error: job.error && { ...job.error, message: null } }),
  });
  const failure = await failureOf(await startFineTuning());
  expect(failure.message).toMatch(/server_error: .*ran out of memory/);
});
