import { CancelledFailure, WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { chatExamples } from '../support/samples.js';
import { timeSkippingStage } from '../support/stage.js';
import { failureOf, historyLength, readLines } from '../support/runs.js';

const model = 'gpt-4o-mini-2024-07-18';

describe('runFineTuning', () => {
  const stage = timeSkippingStage({
    api: {
      fineTuning: { validatingMs: 60_000, queuedMs: 30 * 60_000, runningMs: 3 * 3_600_000, jitter: 0 },
    },
  });
  const trainingFile = async (count = 20) => ({ uri: await stage.write(chatExamples(count)) });

  test('success → the model, its checkpoints with metrics, all events once, the result files', async () => {
    const validationFile = { uri: await stage.write(chatExamples(12)) };
    const run = await stage.jobs.startFineTuning({
      model,
      trainingFile: await trainingFile(),
      validationFile,
      suffix: 'numbers',
      seed: 7,
      metadata: { team: 'blue' },
    });
    const result = await run.result();
    expect(result).toMatchObject({ status: 'succeeded', cancellation: null, warnings: [] });
    expect(result.fineTunedModel).toMatch(/^ft:gpt-4o-mini-2024-07-18:.*numbers/);
    expect(result.trainedTokens).toBeGreaterThan(0);
    expect(result.checkpoints.length).toBeGreaterThan(0);
    expect(result.checkpoints.every(({ metrics }) => Object.keys(metrics).length > 0)).toBe(true);
    expect(result.resultFiles.length).toBeGreaterThan(0);
    const events = await readLines(result.events?.uri);
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    expect(events.at(-1)?.message).toMatch(/success/i);
    expect(await historyLength(run.handle)).toBeLessThanOrEqual(70);
    const [job] = await stage.api.fineTuningJobs();
    expect(job?.metadata).toMatchObject({ team: 'blue' });
  });

  test('a training file with faults → InvalidInput with line and field, nothing uploaded', async () => {
    const examples = [...chatExamples(10), { messages: [{ role: 'assistant' }] }];
    const failure = await failureOf(
      await stage.jobs.startFineTuning({ model, trainingFile: { uri: await stage.write(examples) } }),
    );
    expect(failure.type).toBe('InvalidInput');
    expect(failure.details?.[0]).toHaveProperty('faults.0.line', 11);
    expect(stage.calls()).toEqual([]);
  });

  test('too few examples → InvalidInput with the limit', async () => {
    const failure = await failureOf(await stage.jobs.startFineTuning({ model, trainingFile: await trainingFile(9) }));
    expect(failure.type).toBe('InvalidInput');
    expect(failure.message).toContain('10');
  });

  test('the job fails at the provider → FineTuningFailed with its error', async () => {
    stage.api.scenarios.forNextFineTuningJob({
      fail: {
        in: 'running',
        code: 'moderation',
        message: 'The job was blocked by moderation.',
        param: 'training_file',
      },
    });
    const failure = await failureOf(await stage.jobs.startFineTuning({ model, trainingFile: await trainingFile() }));
    expect(failure.type).toBe('FineTuningFailed');
    expect(failure.details?.[0]).toMatchObject({ error: { code: 'moderation', param: 'training_file' } });
  });

  test('cancel before the job exists → never created', async () => {
    const run = await stage.temporal.client.workflow.signalWithStart('runFineTuning', {
      taskQueue: stage.temporal.taskQueue,
      workflowId: 'cancel-first',
      args: [{ model, trainingFile: await trainingFile() }],
      signal: 'cancel',
      signalArgs: [],
    });
    expect(await run.result()).toMatchObject({ status: 'cancelled', jobId: null });
    expect(stage.calls('fineTuning.create')).toEqual([]);
  });

  test.each([
    ['validating_files', '30s'],
    ['queued', '10m'],
    ['running', '2h'],
  ])('cancel while %s → cancelled at the provider, events kept', async (status, wait) => {
    const run = await stage.jobs.startFineTuning({ model, trainingFile: await trainingFile() });
    await stage.pass(wait);
    expect((await run.progress()).status).toBe(status);
    await run.cancel('wrong data');
    const result = await run.result();
    expect(result).toMatchObject({ status: 'cancelled', cancellation: { by: 'signal', reason: 'wrong data' } });
    expect(result.events?.lines).toBeGreaterThan(0);
    expect((await stage.api.fineTuningJobs())[0]?.status).toBe('cancelled');
  });

  test('native cancellation → cancelled at the provider, then the run is Cancelled', async () => {
    const run = await stage.jobs.startFineTuning({ model, trainingFile: await trainingFile() });
    await stage.pass('1h');
    await run.handle.cancel();
    const error = await run.result().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(WorkflowFailedError);
    expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
    expect((await stage.api.fineTuningJobs())[0]?.status).toBe('cancelled');
  });

  test('deadline → cancelled', async () => {
    const run = await stage.jobs.startFineTuning({ model, trainingFile: await trainingFile(), deadline: '1h' });
    expect(await run.result()).toMatchObject({ status: 'cancelled', cancellation: { by: 'deadline' } });
  });

  test('pause and resume → the job waits in between, then succeeds', async () => {
    const run = await stage.jobs.startFineTuning({ model, trainingFile: await trainingFile() });
    await stage.pass('1h');
    expect(await run.pause()).toBe('paused');
    await stage.pass('12h');
    expect((await run.progress()).status).toBe('paused');
    await expect(run.pause()).rejects.toBeInstanceOf(WorkflowUpdateFailedError);
    expect(await run.resume()).toBe('queued');
    expect(await run.result()).toMatchObject({ status: 'succeeded' });
  });

  test('pause before the job exists → the update is rejected with the reason', async () => {
    const fault = stage.api.faults.add({
      on: 'fineTuning.create',
      times: Infinity,
      effect: { kind: 'status', status: 503 },
    });
    const run = await stage.jobs.startFineTuning({ model, trainingFile: await trainingFile() });
    await stage.pass('1m');
    const error = await run.pause().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
    expect(String((error as WorkflowUpdateFailedError).cause)).toContain('not_created');
    await run.cancel();
    await run.result();
    fault.remove();
  });
});
