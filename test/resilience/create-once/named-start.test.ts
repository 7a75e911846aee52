/** A start under a fixed workflow id can be repeated at any time: nothing is bought again unless that is asked for. */
import { randomUUID } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { expect, test } from 'vitest';
import { RunEndedError, type StartOptions } from '../../../src/client.js';
import { endpoint, jobsOf } from '../../support/runs.js';
import { chatExamples, chatRequests } from '../../support/samples.js';
import { devServerStage } from '../../support/stage.js';

const stage = devServerStage();

/** Starts of each kind of run under one workflow id. */
const KINDS = {
  batch: (options: StartOptions) => stage.jobs.startBatch({ input: { requests: chatRequests(2) }, endpoint }, options),
  bulk: async (options: StartOptions) =>
    stage.jobs.startBulkBatch({ input: { uri: await stage.write(chatRequests(2)) } }, options),
  fineTuning: async (options: StartOptions) =>
    stage.jobs.startFineTuning(
      { model: 'gpt-4o-mini-2024-07-18', trainingFile: { uri: await stage.write(chatExamples(10)) } },
      options,
    ),
};

test.each(Object.keys(KINDS) as (keyof typeof KINDS)[])(
  'a named %s, started twice while it runs and again after it was cancelled → one run, then RunEndedError',
  async (kind) => {
    const start = KINDS[kind];
    const workflowId = `named-${kind}-${randomUUID()}`;
    stage.api.scenarios.forNextBatch({ stuckIn: ['in_progress'] });
    stage.api.scenarios.forNextFineTuningJob({ stuckIn: ['running'] });
    const first = await start({ workflowId });
    const second = await start({ workflowId });
    expect((await second.handle.describe()).runId).toBe((await first.handle.describe()).runId);
    await second.cancel('enough');
    await first.result();
    stage.api.scenarios.clear();

    const error = await start({ workflowId }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RunEndedError);
    expect(error).toMatchObject({ name: 'RunEndedError', workflowId });
    expect((error as Error).message).toContain(`"${workflowId}" has ended`);
    expect((error as Error).message).toContain('startAgain: true');
  },
);

test('a named run that has ended, started with startAgain → a second job, and a third start joins the second run', async () => {
  const workflowId = `again-${randomUUID()}`;
  const ended = await (await KINDS.batch({ workflowId })).result();
  stage.api.scenarios.forNextBatch({ timing: { inProgressMs: 3_000 } });
  const again = await KINDS.batch({ workflowId, startAgain: true });
  const joined = await KINDS.batch({ workflowId, startAgain: true });
  expect((await again.result()).batchId).not.toBe(ended.batchId);
  expect((await joined.result()).batchId).toBe((await again.result()).batchId);
  expect(await jobsOf(stage.api, workflowId)).toHaveLength(2);
});

test("Temporal's own policies → take precedence, with Temporal's errors", async () => {
  const workflowId = `policies-${randomUUID()}`;
  stage.api.scenarios.forNextBatch({ stuckIn: ['in_progress'] });
  const run = await KINDS.batch({ workflowId });
  await expect(KINDS.batch({ workflowId, workflowIdConflictPolicy: 'FAIL' })).rejects.toBeInstanceOf(
    WorkflowExecutionAlreadyStartedError,
  );
  await run.cancel();
  await run.result();
  stage.api.scenarios.clear();
  await expect(KINDS.batch({ workflowId, workflowIdReusePolicy: 'REJECT_DUPLICATE' })).rejects.toBeInstanceOf(
    WorkflowExecutionAlreadyStartedError,
  );
  const again = await KINDS.batch({ workflowId, workflowIdReusePolicy: 'ALLOW_DUPLICATE' });
  expect((await again.result()).status).toBe('completed');
});
