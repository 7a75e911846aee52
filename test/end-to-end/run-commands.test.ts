/** The commands that see runs and steer them, on the real dev server. */
import { describe, expect, test, vi } from 'vitest';
import { waitFor } from '../../dev/stage/wait-for.js';
import { llmJobs, useVariablesOf } from '../support/commands.js';
import { endpoint } from '../support/runs.js';
import { chatExamples, chatRequests } from '../support/samples.js';
import { devServerStage } from '../support/stage.js';

const SLOW = { timing: { validatingMs: 50, inProgressMs: 60_000, jitter: 0 } };

describe('llm-jobs: commands that see and steer runs', () => {
  const stage = devServerStage();

  useVariablesOf(stage, () => ({}));

  async function startSlowBatch() {
    stage.api.scenarios.forNextBatch(SLOW);
    const run = await stage.jobs.startBatch({ input: { requests: chatRequests(3) }, endpoint });
    await waitFor(async () => (await run.progress()).status === 'in_progress', 'the batch to be in progress');
    return run;
  }

  test('a batch from list to cancel → each command shows it, and cancel ends it', async () => {
    const { workflowId, ...run } = await startSlowBatch().then((started) => ({
      workflowId: started.workflowId,
      result: () => started.result(),
      jobId: async () => (await started.progress()).jobId,
    }));
    const listed = await llmJobs('list', '--kind', 'batch');
    expect(listed).toMatchObject({ code: 0, err: [] });
    expect(listed.out[0]).toMatch(/^WORKFLOW ID +KIND +RUN +JOB +STATUS +PROGRESS +STARTED$/);
    expect(listed.out).toContainEqual(expect.stringMatching(new RegExp(`^${workflowId} +batch +running `)));

    const status = await llmJobs('status', workflowId);
    expect(status.out[0]).toBe(`${workflowId} (batch)`);
    expect(status.out).toContain(`  job        ${await run.jobId()}`);
    expect(status.out).toContain('  status     in_progress');

    const looked = await llmJobs('look', workflowId, '--json');
    expect(JSON.parse(looked.out.join('\n'))).toMatchObject({
      workflowId,
      kind: 'batch',
      runStatus: 'RUNNING',
      progress: { status: 'in_progress', counts: { failed: 0 } },
    });

    const cancelled = await llmJobs('cancel', workflowId, '--reason', 'too slow');
    expect(cancelled).toEqual({ code: 0, err: [], out: [expect.stringContaining('the cancel was sent')] });
    expect(await run.result()).toMatchObject({ status: 'cancelled', cancellation: { reason: 'too slow' } });

    const ended = await llmJobs('list', '--all', '--json');
    expect(JSON.parse(ended.out.join('\n'))).toContainEqual(
      expect.objectContaining({ workflowId, status: 'COMPLETED', job: null }),
    );
    const again = await llmJobs('cancel', workflowId);
    expect(again).toMatchObject({ code: 5, out: [] });
    expect(again.err).toEqual([
      `llm-jobs: the run "${workflowId}" has ended (completed)`,
      `To see its state: llm-jobs status ${workflowId}`,
    ]);
  });

  test('a fine-tuning job → paused and resumed; a batch → it says that it cannot be', async () => {
    stage.api.scenarios.forNextFineTuningJob({
      timing: { validatingMs: 50, queuedMs: 50, runningMs: 60_000, jitter: 0 },
    });
    const trainingFile = { uri: await stage.write(chatExamples(12)) };
    const run = await stage.jobs.startFineTuning({ model: 'gpt-4o-mini', trainingFile });
    await waitFor(async () => (await run.progress()).status === 'running', 'the job to run');
    const paused = await llmJobs('pause', run.workflowId);
    expect(paused).toMatchObject({ code: 0, err: [] });
    expect(paused.out).toContain('  status     paused');
    expect((await llmJobs('pause', run.workflowId)).code).toBe(5);
    expect((await llmJobs('resume', run.workflowId)).code).toBe(0);
    await run.cancel();
    await run.result();

    const batch = await startSlowBatch();
    const refused = await llmJobs('pause', batch.workflowId);
    expect(refused).toMatchObject({
      code: 5,
      err: [expect.stringContaining('a batch cannot be paused'), expect.anything()],
    });
    await batch.cancel();
    await batch.result();
  });

  test('a run that failed → status says why, and what to do next', async () => {
    stage.api.scenarios.forNextBatch('failsOnFile');
    const run = await stage.jobs.startBatch({ input: { requests: chatRequests(3) }, endpoint });
    await run.result().catch(() => undefined);
    const { code, out } = await llmJobs('status', run.workflowId);
    expect(code).toBe(0);
    expect(out).toContainEqual(expect.stringMatching(/^ {2}failed +BatchFailed: /));
    expect(out).toContainEqual(expect.stringMatching(/^ {2}what next +Correct /));
  });

  test('a workflow id that does not exist → exit code 4, and where to look', async () => {
    const { code, err } = await llmJobs('status', 'nobody');
    expect({ code, err }).toEqual({
      code: 4,
      err: [
        `llm-jobs: no run has the workflow id "nobody" in the namespace "${stage.temporal.namespace}"`,
        'To see the runs of the task queue: llm-jobs list --all. Of a run that Temporal has removed: llm-jobs results nobody',
      ],
    });
  });

  test('nothing on the task queue → a line on stderr, nothing on stdout', async () => {
    expect(await llmJobs('list', '--task-queue', 'empty')).toEqual({
      code: 0,
      out: [],
      err: ['No run is open on the task queue "empty".'],
    });
  });

  test('no Temporal server → exit code 3 within seconds, with the address', async () => {
    vi.stubEnv('TEMPORAL_ADDRESS', '127.0.0.1:1');
    const { code, err } = await llmJobs('list');
    expect(code).toBe(3);
    expect(err[0]).toContain('no Temporal server answers at 127.0.0.1:1');
    expect(err[1]).toContain('TEMPORAL_ADDRESS');
  });

  test('no worker on the task queue → exit code 3 at once, and how to start one', async () => {
    const { client } = stage.temporal;
    const taskQueue = 'without-a-worker';
    const handle = await client.workflow.start('runBatch', {
      workflowId: `lonely-${Date.now()}`,
      taskQueue,
      args: [{}],
    });
    const { code, err } = await llmJobs('status', handle.workflowId, '--task-queue', taskQueue);
    await handle.terminate();
    expect(code).toBe(3);
    expect(err).toEqual([`llm-jobs: no worker polls the task queue "${taskQueue}"`, 'Start one: llm-jobs worker']);
  });
});
