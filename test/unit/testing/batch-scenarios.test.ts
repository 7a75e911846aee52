import { expect, test } from 'vitest';
import { BATCH_SCENARIO_NAMES, type BatchScenario, type BatchScenarioName } from '../../../src/testing/index.js';
import {
  chatLines,
  createBatch,
  EXACT_BATCHES,
  HOUR,
  MINUTE,
  rejection,
  type ResultLine,
  resultLines,
  type Rig,
  startRig,
} from '../../support/local-api.js';

const DAY = 24 * HOUR;

/** A batch of nine lines under a scenario, `ms` after its creation. */
async function createWithScenario(
  rig: Rig,
  scenario: BatchScenarioName | BatchScenario,
  ms: number,
): Promise<{ id: string; batch: Record<string, unknown> }> {
  rig.api.scenarios.forNextBatch(scenario);
  const { id } = await createBatch(rig.client, chatLines(9));
  rig.clock.advance(ms);
  return { id, batch: { ...(await rig.client.batches.retrieve(id)) } };
}

test.each(BATCH_SCENARIO_NAMES)('scenario %s: a whole life → every read returns the batch or a 404', async (name) => {
  await using rig = await startRig({ batches: EXACT_BATCHES });
  rig.api.scenarios.forNextBatch(name);
  const { id } = await createBatch(rig.client, chatLines(9));
  const answers: unknown[] = [];
  for (let i = 0; i < 10; i++) {
    rig.clock.advance(3 * HOUR);
    answers.push(
      await rig.client.batches.retrieve(id).then(
        (batch) => batch.id,
        (error: { status?: number }) => error.status,
      ),
    );
  }
  expect(answers.every((answer) => answer === id || answer === 404)).toBe(true);
  // The next batch is healthy again.
  const next = await createBatch(rig.client, chatLines(1));
  rig.clock.advance(HOUR);
  expect(await rig.client.batches.retrieve(next.id)).toMatchObject({ status: 'completed' });
});

test.each<[BatchScenarioName, number, object]>([
  ['failsValidation', HOUR, { status: 'failed', errors: { data: [{ code: 'invalid_json_line', line: 3 }] } }],
  ['failsOnTokenLimit', HOUR, { status: 'failed', errors: { data: [{ code: 'token_limit_exceeded' }] } }],
  ['failsWithoutReason', HOUR, { status: 'failed', errors: { object: 'list', data: [] } }],
  ['unknownStatus', 2 * MINUTE, { status: 'moderating', request_counts: { total: 9 } }],
  ['unknownStatus', HOUR, { status: 'completed' }],
  ['azureDialect', 0, { status: 'Validating', request_counts: { total: null }, error_file_id: '' }],
  ['azureDialect', HOUR, { status: 'Completed', created_at: '2026-01-01T00:00:00.000Z' }],
  ['stuckValidating', 3 * DAY, { status: 'validating', expired_at: null }],
  ['stuckInProgress', 3 * DAY, { status: 'in_progress', expired_at: null }],
  ['stuckFinalizing', 3 * DAY, { status: 'finalizing', request_counts: { total: 9, completed: 9 } }],
  ['slowFinalizing', 28 * MINUTE, { status: 'finalizing', request_counts: { total: 9, completed: 9, failed: 0 } }],
  ['slowFinalizing', 29 * MINUTE, { status: 'completed' }],
  ['emptyErrorFileId', HOUR, { status: 'completed', error_file_id: '' }],
  ['countsDoNotSum', HOUR, { status: 'completed', request_counts: { total: 9, completed: 1, failed: 0 } }],
  ['nullCounts', HOUR, { status: 'completed', request_counts: null }],
  ['expiresPartly', 2 * DAY, { status: 'expired', request_counts: { total: 9, completed: 3, failed: 0 } }],
  ['expiresEmpty', 2 * DAY, { status: 'expired', output_file_id: null, error_file_id: expect.any(String) }],
])('scenario %s: after %i ms → that state', async (name, ms, expected) => {
  await using rig = await startRig({ batches: EXACT_BATCHES });
  expect((await createWithScenario(rig, name, ms)).batch).toMatchObject(expected);
});

async function completedLines(rig: Rig, name: BatchScenarioName) {
  const { batch } = await createWithScenario(rig, name, HOUR);
  return {
    batch,
    output: await resultLines(rig.client, batch.output_file_id as string | null),
    errors: await resultLines(rig.client, batch.error_file_id as string | null),
  };
}

test('allLinesFail: completed → no output file, an error file with every line', async () => {
  await using rig = await startRig();
  const { batch, errors } = await completedLines(rig, 'allLinesFail');
  expect(batch).toMatchObject({
    status: 'completed',
    output_file_id: null,
    request_counts: { completed: 0, failed: 9 },
  });
  expect(errors.map((line) => line.response!.status_code)).toEqual(Array.from({ length: 9 }, () => 400));
});

test('zeroByteErrorFile: completed → an empty error file', async () => {
  await using rig = await startRig();
  const { batch } = await completedLines(rig, 'zeroByteErrorFile');
  expect(await rig.client.files.retrieve(batch.error_file_id as string)).toMatchObject({ bytes: 0 });
  expect(await (await rig.client.files.content(batch.error_file_id as string)).text()).toBe('');
});

const count = (lines: readonly ResultLine[]): number => new Set(lines.map((line) => line.custom_id)).size;

test.each<[BatchScenarioName, (output: ResultLine[], errors: ResultLine[]) => boolean]>([
  ['missingLines', (output, errors) => output.length === 6 && errors.length === 0],
  ['duplicateLines', (output) => output.length === 12 && count(output) === 9],
  ['unknownCustomIds', (output) => output.filter((line) => line.custom_id.endsWith('-unknown')).length === 3],
  [
    'statusCodeZero',
    (output, errors) => output.length === 6 && errors.every((line) => line.response!.status_code === 0),
  ],
  ['someLinesFail', (output, errors) => output.length === 6 && errors.length === 3],
  ['nullFilledErrors', (output) => output.length === 9 && output.every((line) => line.error?.code === null)],
])('scenario %s: completed → lines of that kind', async (name, holds) => {
  await using rig = await startRig();
  const { output, errors } = await completedLines(rig, name);
  expect(holds(output, errors)).toBe(true);
});

test.each<[BatchScenarioName, number]>([
  ['cutLastLine', 8],
  ['malformedLine', 8],
])('scenario %s: completed → all lines but one are JSON', async (name, whole) => {
  await using rig = await startRig();
  const { batch } = await createWithScenario(rig, name, HOUR);
  const lines = (await rig.api.fileContent(batch.output_file_id as string)).split('\n').filter((line) => line !== '');
  const parsed = lines.filter((line) => {
    try {
      return typeof JSON.parse(line) === 'object';
    } catch {
      return false;
    }
  });
  expect([lines.length, parsed.length]).toEqual([9, whole]);
});

test.each<[BatchScenarioName, number]>([
  ['outputExpired404', 404],
  ['outputExpired410', 410],
])('scenario %s: completed → content is %i', async (name, status) => {
  await using rig = await startRig();
  const { batch } = await createWithScenario(rig, name, HOUR);
  expect(await rejection(rig.client.files.content(batch.output_file_id as string))).toMatchObject({ status });
});

test('vanishesWhileRunning: in progress → 404 for reads and cancels, and absent from lists', async () => {
  await using rig = await startRig({ batches: EXACT_BATCHES });
  const { id, batch } = await createWithScenario(rig, 'vanishesWhileRunning', 0);
  expect(batch).toMatchObject({ status: 'validating' });
  rig.clock.advance(2 * MINUTE);
  expect(await rejection(rig.client.batches.retrieve(id))).toMatchObject({ status: 404 });
  expect(await rejection(rig.client.batches.cancel(id))).toMatchObject({ status: 404 });
  expect((await rig.client.batches.list()).data).toEqual([]);
});

test('stepsBack: two stale reads → validating again, twice', async () => {
  await using rig = await startRig({ batches: EXACT_BATCHES });
  const { id, batch } = await createWithScenario(rig, 'stepsBack', 2 * MINUTE);
  const seen = [batch.status];
  for (let i = 0; i < 3; i++) seen.push((await rig.client.batches.retrieve(id)).status);
  expect(seen).toEqual(['in_progress', 'validating', 'validating', 'in_progress']);
});

test('cancelLosesRace: cancelled while running → completed with every line', async () => {
  await using rig = await startRig({ batches: EXACT_BATCHES });
  const { id } = await createWithScenario(rig, 'cancelLosesRace', 2 * MINUTE);
  expect(await rig.client.batches.cancel(id)).toMatchObject({ status: 'cancelling' });
  rig.clock.advance(MINUTE);
  const batch = await rig.client.batches.retrieve(id);
  expect(batch).toMatchObject({ status: 'completed', request_counts: { completed: 9 }, cancelled_at: null });
  expect(await resultLines(rig.client, batch.output_file_id)).toHaveLength(9);
});

test('stuckCancelling: cancelled → cancelling for days', async () => {
  await using rig = await startRig({ batches: EXACT_BATCHES });
  const { id } = await createWithScenario(rig, 'stuckCancelling', 2 * MINUTE);
  await rig.client.batches.cancel(id);
  rig.clock.advance(3 * DAY);
  expect(await rig.client.batches.retrieve(id)).toMatchObject({ status: 'cancelling', cancelled_at: null });
});

test('forBatches: a rule → every batch that matches, until removed', async () => {
  await using rig = await startRig({ batches: EXACT_BATCHES });
  const rule = rig.api.scenarios.forBatches((batch) => batch.metadata.team === 'red', {
    failWith: [{ code: 'custom', message: 'No.', line: 7, param: 'body' }],
  });
  const run = async (team: string): Promise<string> => {
    const { id } = await createBatch(rig.client, chatLines(1), { metadata: { team } });
    rig.clock.advance(HOUR);
    return (await rig.client.batches.retrieve(id)).status;
  };
  expect([await run('red'), await run('blue'), await run('red')]).toEqual(['failed', 'completed', 'failed']);
  expect(rule.hits).toBe(2);
  rule.remove();
  expect(await run('red')).toBe('completed');
});

test('forNextBatch: an unknown name → throws', async () => {
  await using rig = await startRig();
  expect(() => rig.api.scenarios.forNextBatch('nonsense' as BatchScenarioName)).toThrow(/nonsense/u);
});
