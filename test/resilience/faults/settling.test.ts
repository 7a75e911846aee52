/** The end of a job whose results appear late, in part, or never. */
import { describe, expect, test } from 'vitest';
import type { FaultRule } from '../../../src/testing/index.js';
import { HOUR } from '../../../dev/stage/timing.js';
import { failureOf } from '../../support/runs.js';
import { faultStage } from '../../support/fault-stage.js';

const { stage, startBatch, startFineTuning } = faultStage({
  requests: 6,
  pollEvery: '10m',
  api: { fineTuning: { runningMs: HOUR } },
});

const changed = (fields: object) =>
  ({ kind: 'mutate', change: (body: unknown) => ({ ...(body as object), ...fields }) }) as const;
const emptyContent = { kind: 'status', status: 200, body: '' } as const;
const page = { kind: 'html', status: 200, body: '<html><body>Please log in</body></html>' } as const;

describe('results that appear late → complete, without a warning', () => {
  test.each<[string, FaultRule]>([
    ['404 for a while', { on: 'files.content', effect: 'notFound', times: 5 }],
    ['403 for a while', { on: 'files.content', effect: 'forbidden', times: 3 }],
    ['410 for a while', { on: 'files.content', effect: { kind: 'status', status: 410 }, times: 2 }],
    ['an empty file twice', { on: 'files.content', effect: emptyContent, times: 2 }],
    ['an HTML page in its place', { on: 'files.content', effect: page, times: 3 }],
    [
      'half of the file, with a content length to match',
      { on: 'files.content', effect: { kind: 'cutBody', bytes: 900, silent: true }, times: 6 },
    ],
  ])('%s', async (_, rule) => {
    const fault = stage.api.faults.add(rule);
    const result = await (await startBatch()).result();
    expect(fault.hits).toBeGreaterThan(0);
    expect(result).toMatchObject({
      status: 'completed',
      isSettled: true,
      lines: { succeeded: 6, missing: 0 },
      warnings: [],
    });
    expect(stage.calls('batches.create')).toHaveLength(1);
  });

  test('the file id is missing at the end, and there at the fourth read', async () => {
    const run = await startBatch();
    await stage.pass('61m');
    const fault = stage.api.faults.add({
      on: 'batches.retrieve',
      effect: { kind: 'mutate', change: (body) => ({ ...(body as object), output_file_id: null }) },
      times: 4,
    });
    expect(await run.result()).toMatchObject({ isSettled: true, lines: { succeeded: 6 }, warnings: [] });
    expect(fault.hits).toBe(4);
  });
});

describe('results that never appear → what there is, after settleFor, and nothing is deleted', () => {
  test('404 for ever', async () => {
    stage.api.faults.add({ on: 'files.content', effect: 'notFound', times: Infinity });
    const cleanup = { input: true, output: true };
    const result = await (await startBatch({ settleFor: '5m', cleanup })).result();
    expect(result).toMatchObject({ status: 'completed', isSettled: false, lines: { succeeded: 0, missing: 6 } });
    expect(result.warnings[0]).toContain('it counts 6 requests with a result, and its files contain 0');
    expect(stage.calls('files.content').length).toBeGreaterThanOrEqual(3);
    expect(stage.calls('files.delete')).toHaveLength(1);
  });

  test('fewer lines than counted', async () => {
    stage.api.scenarios.forNextBatch('missingLines');
    const result = await (await startBatch({ settleFor: '1m' })).result();
    expect(result).toMatchObject({ isSettled: false, lines: { succeeded: 4, missing: 2 } });
    expect(result.warnings[0]).toContain('it counts 6 requests with a result, and its files contain 4');
  });

  test('settleFor 0 → collected at once', async () => {
    stage.api.scenarios.forNextBatch('missingLines');
    const result = await (await startBatch({ settleFor: 0 })).result();
    expect(result).toMatchObject({ isSettled: false, lines: { succeeded: 4, missing: 2 } });
  });
});

test('an expired batch whose files were read whole → they are deleted as asked', async () => {
  stage.api.scenarios.forNextBatch('expiresPartly');
  const result = await (await startBatch({ cleanup: { output: true } })).result();
  expect(result).toMatchObject({ status: 'expired', isSettled: true });
  expect(stage.calls('files.delete')).toHaveLength(2);
});

describe('a fine-tuning job that succeeded', () => {
  test.each([
    ['checkpoints', 'forbidden'],
    ['checkpoints', { kind: 'status', status: 405 }],
    ['events', { kind: 'status', status: 400 }],
    ['events', 'serverError'],
  ] as const)('its %s answer %o for ever → its model, and a warning', async (list, effect) => {
    const run = await startFineTuning();
    await stage.pass('30m');
    stage.api.faults.add({ on: `fineTuning.${list}`, effect, times: Infinity });
    const result = await run.result();
    expect(result.status).toBe('succeeded');
    expect(result.fineTunedModel).toMatch(/^ft:/);
    expect(result.warnings[0]).toMatch(new RegExp(`the ${list} could not be read completely`, 'i'));
  });

  test('its model is named late → read again until it is', async () => {
    const run = await startFineTuning();
    await stage.pass('1m');
    stage.api.faults.add({ on: 'fineTuning.retrieve', effect: changed({ fine_tuned_model: null }), times: 12 });
    expect((await run.result()).fineTunedModel).toMatch(/^ft:/);
  });

  test('its result file is base64 text → decoded', async () => {
    const csv = 'step,train_loss\n1,0.5\n2,0.25\n';
    const body = Buffer.from(csv).toString('base64');
    stage.api.faults.add({
      on: 'files.content',
      effect: { kind: 'status', status: 200, body, headers: { 'content-length': String(body.length) } },
      times: 1,
    });
    const { resultFiles } = await (await startFineTuning()).result();
    expect(resultFiles[0]?.bytes).toBe(csv.length);
  });
});

test('a fine-tuning job that failed without an error → the last error event is the reason', async () => {
  stage.api.scenarios.forNextFineTuningJob('failsWithoutReason');
  const failure = await failureOf(await startFineTuning());
  expect(failure).toMatchObject({ type: 'FineTuningFailed' });
  expect(failure.message).not.toContain('the provider gave no reason');
});
