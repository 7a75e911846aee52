import { expect, test } from 'vitest';
import {
  FINE_TUNING_SCENARIO_NAMES,
  type FineTuningScenario,
  type FineTuningScenarioName,
} from '../../../src/testing/index.js';
import { chatExamples } from '../../support/training-examples.js';
import {
  EXACT_FINE_TUNING,
  HOUR,
  jsonl,
  MINUTE,
  rejection,
  type Rig,
  startRig,
  upload,
} from '../../support/local-api.js';

/** A job of ten examples under a scenario, `ms` after its creation. */
async function createWithScenario(
  rig: Rig,
  scenario: FineTuningScenarioName | FineTuningScenario,
  ms: number,
): Promise<{ id: string; read: () => Promise<Record<string, unknown>> }> {
  rig.api.scenarios.forNextFineTuningJob(scenario);
  const file = await upload(rig.client, jsonl(chatExamples(10)), 'fine-tune');
  const { id } = await rig.client.fineTuning.jobs.create({ model: 'gpt-4o-mini', training_file: file.id });
  rig.clock.advance(ms);
  return { id, read: async () => ({ ...(await rig.client.fineTuning.jobs.retrieve(id)) }) };
}

test.each(FINE_TUNING_SCENARIO_NAMES)(
  'scenario %s: a whole life → every read returns the job or a 404',
  async (name) => {
    await using rig = await startRig({ fineTuning: EXACT_FINE_TUNING });
    const { id, read } = await createWithScenario(rig, name, 0);
    const answers: unknown[] = [];
    for (let i = 0; i < 10; i++) {
      rig.clock.advance(4 * MINUTE);
      answers.push(
        await read().then(
          (job) => job.id,
          (error: { status?: number }) => error.status,
        ),
      );
    }
    expect(answers.every((answer) => answer === id || answer === 404)).toBe(true);
  },
);

const NULL_FILLED = { code: null, message: null, param: null };

test.each<[FineTuningScenarioName, number, object]>([
  ['failsValidation', MINUTE, { status: 'failed', error: { code: 'invalid_training_file', param: 'training_file' } }],
  ['failsInQueue', 2 * MINUTE, { status: 'failed', error: { code: 'exceeded_quota', param: null } }],
  ['failsWhileRunning', 17 * MINUTE, { status: 'failed', error: { code: 'server_error' } }],
  ['failsModeration', MINUTE, { status: 'failed', error: { message: expect.stringContaining('moderation') } }],
  ['failsSafetyChecks', 31 * MINUTE, { status: 'running' }],
  ['failsSafetyChecks', 32 * MINUTE, { status: 'failed', fine_tuned_model: null, error: { code: 'model_blocked' } }],
  ['failsWithoutReason', HOUR, { status: 'failed', error: NULL_FILLED }],
  ['unknownStatus', MINUTE, { status: 'moderating' }],
  ['unknownStatus', HOUR, { status: 'succeeded' }],
  ['stuckValidating', 48 * HOUR, { status: 'validating_files' }],
  ['stuckQueued', 48 * HOUR, { status: 'queued' }],
  ['stuckRunning', 48 * HOUR, { status: 'running' }],
  ['nullFilledError', 3 * MINUTE, { status: 'running', error: NULL_FILLED }],
  ['nullFilledError', HOUR, { status: 'succeeded', error: NULL_FILLED }],
  ['emptyErrorObject', HOUR, { status: 'succeeded', error: {} }],
  ['noResultFiles', HOUR, { status: 'succeeded', result_files: [] }],
  ['nullResultFiles', HOUR, { status: 'succeeded', result_files: null }],
  ['azureDialect', HOUR, { status: 'Succeeded', created_at: '2026-01-01T00:00:00.000Z' }],
])('scenario %s: after %i ms → that state', async (name, ms, expected) => {
  await using rig = await startRig({ fineTuning: EXACT_FINE_TUNING });
  const { read } = await createWithScenario(rig, name, ms);
  expect(await read()).toMatchObject(expected);
});

test('pausedByProvider: half of the steps → paused until it is resumed', async () => {
  await using rig = await startRig({ fineTuning: EXACT_FINE_TUNING });
  const { id, read } = await createWithScenario(rig, 'pausedByProvider', 24 * HOUR);
  expect(await read()).toMatchObject({ status: 'paused' });
  await rig.client.fineTuning.jobs.resume(id);
  rig.clock.advance(16 * MINUTE);
  expect(await read()).toMatchObject({ status: 'succeeded' });
});

test('vanishesWhileRunning: running → 404', async () => {
  await using rig = await startRig({ fineTuning: EXACT_FINE_TUNING });
  const { read } = await createWithScenario(rig, 'vanishesWhileRunning', MINUTE);
  expect(await read()).toMatchObject({ status: 'queued' });
  rig.clock.advance(MINUTE);
  expect(await rejection(read())).toMatchObject({ status: 404 });
});

test('stepsBack: two stale reads → validating_files again, twice', async () => {
  await using rig = await startRig({ fineTuning: EXACT_FINE_TUNING });
  const { read } = await createWithScenario(rig, 'stepsBack', 5 * MINUTE);
  const seen: unknown[] = [];
  for (let i = 0; i < 4; i++) seen.push((await read()).status);
  expect(seen).toEqual(['running', 'validating_files', 'validating_files', 'running']);
});

test.each<[FineTuningScenarioName, number]>([
  ['resultFilesGone404', 404],
  ['resultFilesGone410', 410],
])('scenario %s: succeeded → content is %i', async (name, status) => {
  await using rig = await startRig({ fineTuning: EXACT_FINE_TUNING });
  const { read } = await createWithScenario(rig, name, HOUR);
  const [file] = (await read()).result_files as string[];
  expect(await rejection(rig.client.files.content(file!))).toMatchObject({ status });
});

test('duplicateEvents: pages of five → one event twice at each border, and none missing', async () => {
  await using rig = await startRig({ fineTuning: EXACT_FINE_TUNING });
  const listed = async (name: FineTuningScenarioName | FineTuningScenario): Promise<string[]> => {
    const { id } = await createWithScenario(rig, name, HOUR);
    const messages: string[] = [];
    for await (const event of rig.client.fineTuning.jobs.listEvents(id, { limit: 5 })) {
      messages.push(`${event.id} ${event.message}`);
    }
    return messages;
  };
  const events = await listed('duplicateEvents');
  const healthy = await listed({});
  expect(new Set(events).size).toBe(healthy.length);
  expect(events.length).toBe(healthy.length + Math.ceil(healthy.length / 5) - 1);
});

test('tiedEvents: all metrics → the same second, and the same order on every read', async () => {
  await using rig = await startRig({ fineTuning: EXACT_FINE_TUNING });
  const { id } = await createWithScenario(rig, 'tiedEvents', HOUR);
  const read = async () => (await rig.client.fineTuning.jobs.listEvents(id, { limit: 100 })).data;
  const events = await read();
  expect(new Set(events.filter((event) => event.type === 'metrics').map((event) => event.created_at)).size).toBe(1);
  expect(await read()).toEqual(events);
});
