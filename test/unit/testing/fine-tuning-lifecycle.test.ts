import type OpenAI from 'openai';
import { expect, test } from 'vitest';
import { chatExample, chatExamples, preferenceExamples } from '../../support/training-examples.js';
import { EXACT_FINE_TUNING, HOUR, jsonl, MINUTE, rejection, startRig, upload } from '../../support/local-api.js';

const MODEL = 'gpt-4o-mini-2024-07-18';

async function createFineTuningJob(
  client: OpenAI,
  examples: readonly unknown[] = chatExamples(10),
  more: Partial<OpenAI.FineTuning.JobCreateParams> = {},
): Promise<OpenAI.FineTuning.FineTuningJob> {
  const file = await upload(client, jsonl(examples), 'fine-tune', 'train.jsonl');
  return client.fineTuning.jobs.create({ model: MODEL, training_file: file.id, ...more });
}

async function allEvents(client: OpenAI, id: string, limit = 20): Promise<OpenAI.FineTuning.FineTuningJobEvent[]> {
  const events: OpenAI.FineTuning.FineTuningJobEvent[] = [];
  for await (const event of client.fineTuning.jobs.listEvents(id, { limit })) events.push(event);
  return events.toReversed();
}

test('fine-tuning job: time passes → validating_files, queued, running with an estimate, succeeded with model and results', async () => {
  await using rig = await startRig({ fineTuning: EXACT_FINE_TUNING });
  const { client, clock } = rig;
  const {
    id,
    created_at: created,
    status,
  } = await createFineTuningJob(client, chatExamples(20), { suffix: 'numbers', seed: 7 });
  const seen: unknown[] = [[status, null]];
  for (const ms of [MINUTE, MINUTE, 29 * MINUTE, MINUTE]) {
    clock.advance(ms);
    const job = await client.fineTuning.jobs.retrieve(id);
    seen.push([job.status, job.estimated_finish]);
  }
  expect(seen).toEqual([
    ['validating_files', null],
    ['queued', null],
    ['running', created + 32 * 60],
    ['running', created + 32 * 60],
    ['succeeded', null],
  ]);
  const job = await client.fineTuning.jobs.retrieve(id);
  expect(job).toMatchObject({ error: null, finished_at: created + 32 * 60, seed: 7 });
  expect(job.fine_tuned_model).toMatch(/^ft:gpt-4o-mini-2024-07-18:local:numbers:\w{8}$/u);
  expect(job.hyperparameters).toEqual({ n_epochs: 3, batch_size: 1, learning_rate_multiplier: 1.8 });
  expect(job.trained_tokens).toBeGreaterThan(0);
  const csv = await (await client.files.content(job.result_files[0]!)).text();
  expect(csv.trimEnd().split('\n')).toHaveLength(1 + 60);
  expect(csv).toMatch(/^step,train_loss,train_accuracy/u);
});

test('fine-tuning job: one jump over its whole life → every event with its own time, and pages without gaps', async () => {
  await using rig = await startRig({ fineTuning: EXACT_FINE_TUNING });
  const { id, created_at: created } = await createFineTuningJob(rig.client);
  rig.clock.advance(24 * HOUR);
  const events = await allEvents(rig.client, id, 7);
  expect(new Set(events.map((event) => event.id)).size).toBe(events.length);
  const steps = events.filter((event) => event.type === 'metrics');
  expect(steps.map((event) => event.created_at)).toEqual(
    Array.from({ length: 30 }, (_, i) => created + 120 + 60 * (i + 1)),
  );
  expect(steps[0]).toMatchObject({ message: expect.stringMatching(/^Step 1\/30: training loss=\d/u) });
  expect(events.filter((event) => event.type !== 'metrics').map((event) => event.message)).toEqual([
    `Created fine-tuning job: ${id}`,
    expect.stringContaining('Validating training file: file-'),
    'Files validated, moving job to queued state',
    'Fine-tuning job started',
    'Checkpoint created at step 10',
    'Checkpoint created at step 20',
    expect.stringMatching(/^New fine-tuned model created: ft:/u),
    expect.stringMatching(/^Moderation checks/u),
    'The job has successfully completed',
  ]);
});

test('checkpoints: five epochs → the last three, newest first', async () => {
  await using rig = await startRig({ fineTuning: EXACT_FINE_TUNING });
  const { id } = await createFineTuningJob(rig.client, undefined, {
    method: { type: 'supervised', supervised: { hyperparameters: { n_epochs: 5 } } },
  });
  rig.clock.advance(HOUR);
  const { data } = await rig.client.fineTuning.jobs.checkpoints.list(id);
  expect(data.map((checkpoint) => checkpoint.step_number)).toEqual([50, 40, 30]);
  expect(data[0]).toMatchObject({
    fine_tuning_job_id: id,
    fine_tuned_model_checkpoint: expect.stringMatching(/:ckpt-step-50$/u),
    metrics: { step: 50, train_loss: expect.any(Number) },
  });
});

test.each([
  ['nine examples', chatExamples(9), 'invalid_n_examples', 'has 9 example(s)'],
  ['a line that is not JSON', [...chatExamples(10), 7], 'invalid_file_format', 'Line 11'],
  ['an example without messages', [...chatExamples(4), {}, ...chatExamples(9)], 'invalid_file_format', 'Example 5'],
  [
    'an example without an assistant',
    [{ messages: [{ role: 'user', content: 'x' }] }, ...chatExamples(9)],
    'invalid_file_format',
    'Example 1 must have at least one message from the assistant',
  ],
  [
    'an invalid token',
    [...chatExamples(9), { messages: [{ role: 'assistant', content: '<|endoftext|>' }] }],
    'invalid_file_format',
    'Example 10 message contains an invalid token',
  ],
])('training file: %s → the job fails with the place of the error', async (_name, examples, code, text) => {
  await using rig = await startRig({ fineTuning: EXACT_FINE_TUNING });
  const { id } = await createFineTuningJob(rig.client, examples);
  rig.clock.advance(MINUTE);
  const job = await rig.client.fineTuning.jobs.retrieve(id);
  expect(job).toMatchObject({ status: 'failed', fine_tuned_model: null, error: { code, param: 'training_file' } });
  expect(job.error?.message).toContain(text);
  expect((await allEvents(rig.client, id)).at(-1)).toMatchObject({ level: 'error', message: job.error?.message });
});

test('methods: dpo and reinforcement → resolved with their own hyperparameters', async () => {
  await using rig = await startRig({ fineTuning: EXACT_FINE_TUNING });
  const dpo = await createFineTuningJob(rig.client, preferenceExamples(10), {
    method: { type: 'dpo', dpo: { hyperparameters: { beta: 0.5 } } },
  });
  const prompts = Array.from({ length: 10 }, (_, i) => ({ messages: [{ role: 'user', content: `Q${i}` }] }));
  const grader = {
    type: 'string_check' as const,
    name: 'same',
    operation: 'eq' as const,
    input: '{{sample.output_text}}',
    reference: 'x',
  };
  const reinforcement = await createFineTuningJob(rig.client, prompts, {
    method: { type: 'reinforcement', reinforcement: { grader } },
  });
  rig.clock.advance(HOUR);
  expect(await rig.client.fineTuning.jobs.retrieve(dpo.id)).toMatchObject({
    status: 'succeeded',
    method: { type: 'dpo', dpo: { hyperparameters: { beta: 0.5, n_epochs: 3 } } },
  });
  expect(await rig.client.fineTuning.jobs.retrieve(reinforcement.id)).toMatchObject({
    status: 'succeeded',
    method: { type: 'reinforcement', reinforcement: { grader, hyperparameters: { eval_interval: 5 } } },
  });
});

test('pause and resume: a running job → paused for a day, queued, and then only the rest of the training', async () => {
  await using rig = await startRig({ fineTuning: EXACT_FINE_TUNING });
  const { client, clock } = rig;
  const { id, created_at: created } = await createFineTuningJob(client);
  expect(await rejection(client.fineTuning.jobs.pause(id))).toMatchObject({ status: 400 });
  clock.advance(12 * MINUTE);
  expect(await client.fineTuning.jobs.pause(id)).toMatchObject({ status: 'paused' });
  clock.advance(24 * HOUR);
  expect(await client.fineTuning.jobs.retrieve(id)).toMatchObject({ status: 'paused' });
  const before = await allEvents(client, id);
  expect(before.filter((event) => event.type === 'metrics')).toHaveLength(10);
  expect(await client.fineTuning.jobs.resume(id)).toMatchObject({ status: 'queued' });
  clock.advance(21 * MINUTE);
  const job = await client.fineTuning.jobs.retrieve(id);
  expect(job).toMatchObject({ status: 'succeeded', finished_at: created + 33 * 60 + 24 * 3600 });
  expect((await allEvents(client, id)).slice(0, before.length)).toEqual(before);
});

test('cancel: a running job → cancelled with its checkpoints; again → 400', async () => {
  await using rig = await startRig({ fineTuning: EXACT_FINE_TUNING });
  const { id, created_at: created } = await createFineTuningJob(rig.client);
  rig.clock.advance(14 * MINUTE);
  const job = await rig.client.fineTuning.jobs.cancel(id);
  expect(job).toMatchObject({ status: 'cancelled', finished_at: created + 14 * 60, fine_tuned_model: null });
  rig.clock.advance(HOUR);
  const { data } = await rig.client.fineTuning.jobs.checkpoints.list(id);
  expect(data.map((checkpoint) => checkpoint.step_number)).toEqual([10]);
  expect(await rejection(rig.client.fineTuning.jobs.cancel(id))).toMatchObject({ status: 400 });
});

test('list: a metadata filter → only the jobs with all pairs', async () => {
  await using rig = await startRig({ fineTuning: EXACT_FINE_TUNING });
  const first = await createFineTuningJob(rig.client, undefined, { metadata: { key: 'a', team: 'red' } });
  await createFineTuningJob(rig.client, undefined, { metadata: { key: 'b', team: 'red' } });
  const ids = async (metadata: Record<string, string>): Promise<string[]> =>
    (await rig.client.fineTuning.jobs.list({ metadata })).data.map((job) => job.id);
  expect(await ids({ key: 'a', team: 'red' })).toEqual([first.id]);
  expect(await ids({ team: 'red' })).toHaveLength(2);
  expect(await ids({ team: 'green' })).toEqual([]);
});

test.each([
  ['no model', { model: '' }, 'missing_required_parameter'],
  ['an unknown model', { model: 'no-such-model' }, 'model_not_available'],
  ['an unknown file', { training_file: 'file-none' }, null],
  ['a long suffix', { suffix: 'x'.repeat(65) }, 'string_above_max_length'],
  ['a seed below 0', { seed: -1 }, 'invalid_value'],
  ['an unknown method', { method: { type: 'magic' } }, 'invalid_value'],
  ['reinforcement without a grader', { method: { type: 'reinforcement' } }, 'missing_required_parameter'],
  ['metadata that is not text', { metadata: { a: 1 } }, 'invalid_type'],
  [
    'six integrations',
    { integrations: Array.from({ length: 6 }, () => ({ type: 'wandb', wandb: { project: 'p' } })) },
    'array_above_max_length',
  ],
])('create: %s → 400', async (_name, more, code) => {
  await using rig = await startRig();
  const error = await rejection(
    createFineTuningJob(rig.client, undefined, more as Partial<OpenAI.FineTuning.JobCreateParams>),
  );
  expect(error).toMatchObject({ status: 400, code });
  expect(await rig.api.fineTuningJobs()).toEqual([]);
});

test('create: more active jobs or more jobs a day than allowed → 429 until a job ends or the day is over', async () => {
  await using rig = await startRig({
    fineTuning: EXACT_FINE_TUNING,
    limits: { concurrentFineTuningJobs: 1, fineTuningJobsPerDay: 2 },
  });
  await createFineTuningJob(rig.client);
  expect(await rejection(createFineTuningJob(rig.client))).toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
  rig.clock.advance(HOUR);
  await createFineTuningJob(rig.client);
  rig.clock.advance(HOUR);
  expect(await rejection(createFineTuningJob(rig.client))).toMatchObject({
    status: 429,
    code: 'daily_rate_limit_exceeded',
  });
  rig.clock.advance(24 * HOUR);
  expect(await createFineTuningJob(rig.client, [chatExample(1)])).toMatchObject({ status: 'validating_files' });
});
