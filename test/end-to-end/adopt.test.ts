/** Batches that nobody follows, taken over by `llm-jobs adopt`, with the ready-made worker. */
import { beforeAll, describe, expect, test } from 'vitest';
import { readManifest } from '../../src/client.js';
import { ManualClock } from '../../src/testing/index.js';
import { HOUR, SHORT_JOBS } from '../../dev/stage/timing.js';
import { waitFor } from '../../dev/stage/wait-for.js';
import type { WorkerProcess } from '../../dev/stage/worker-process.js';
import { llmJobs, useVariablesOf } from '../support/commands.js';
import { endpoint } from '../support/runs.js';
import { chatRequests } from '../support/samples.js';
import { workerProcessStage } from '../support/stage.js';

describe('llm-jobs adopt', () => {
  const clock = new ManualClock(Date.now());
  const stage = workerProcessStage({ clock, ...SHORT_JOBS });
  let worker: WorkerProcess;
  beforeAll(async () => {
    worker = await stage.startWorker();
  });

  useVariablesOf(stage, () => ({
    LLM_JOBS_CONFIG: 'none',
    LLM_JOBS_STORAGE: stage.root,
    OPENAI_API_KEY: stage.api.apiKey,
    OPENAI_BASE_URL: stage.api.url,
  }));

  /** A batch that somebody else has created, without this library. */
  async function createBatch(count = 4): Promise<string> {
    const content = chatRequests(count).map((request) => `${JSON.stringify(request)}\n`);
    const file = await stage.openai.files.create({ file: new File(content, 'own.jsonl'), purpose: 'batch' });
    const made = await stage.openai.batches.create({ input_file_id: file.id, endpoint, completion_window: '24h' });
    return made.id;
  }

  test('a batch created elsewhere, two commands, the worker killed → both end with the results, collected once', async () => {
    const id = await createBatch();
    const commands = Promise.all([llmJobs('adopt', id), llmJobs('adopt', id, '--json')]);
    const looks = () => stage.calls('batches.retrieve').length;
    // Each command reads the batch once.
    await waitFor(() => looks() > 4, 'the worker to look at the batch');
    await worker.stop('SIGKILL');
    clock.advance(12 * HOUR);
    worker = await stage.startWorker();
    const [people, programs] = await commands;

    expect(people.code).toBe(0);
    expect(people.out[0]).toBe(`${id} has ended, and its results are in the storage`);
    expect(people.out).toContainEqual(
      expect.stringMatching(`^ {2}output +${stage.root}/?${id}/output.jsonl \\(4 lines\\)$`),
    );
    expect(people.err).toContainEqual(expect.stringMatching(/^(validating|in_progress)/));
    expect(programs.code).toBe(0);
    const result: unknown = JSON.parse(programs.out.join(''));
    expect(result).toMatchObject({ status: 'completed', batchId: id, lines: { succeeded: 4, missing: 0 } });
    expect(await readManifest(stage.storage, id)).toEqual({ kind: 'batch', result });

    const before = stage.calls().length;
    const again = await llmJobs('adopt', id, '--json');
    expect(JSON.parse(again.out.join(''))).toEqual(result);
    expect(stage.calls()).toHaveLength(before);
  });

  test('the batch of an open run → refused with the run that follows it; once that was terminated → adopted', async () => {
    const run = await stage.jobs.startBatch({ input: { requests: chatRequests(3) }, endpoint });
    await waitFor(async () => (await run.progress()).jobId !== null, 'the batch');
    const { jobId } = await run.progress();
    expect(await llmJobs('adopt', jobId!)).toEqual({
      code: 5,
      out: [],
      err: [
        `llm-jobs: the run "${run.workflowId}" follows ${jobId}, and will collect its results`,
        `To follow that run: llm-jobs watch ${run.workflowId}`,
      ],
    });
    await run.handle.terminate();
    clock.advance(12 * HOUR);
    const adopted = await llmJobs('adopt', jobId!, '--json');
    expect(JSON.parse(adopted.out.join(''))).toMatchObject({ batchId: jobId, lines: { succeeded: 3 } });
  });

  test('a batch that fails → exit code 2, the type and what to do next', async () => {
    stage.api.scenarios.forNextBatch('failsOnFile');
    const id = await createBatch();
    clock.advance(12 * HOUR);
    const { code, err } = await llmJobs('adopt', id);
    expect(code).toBe(2);
    expect(err.slice(-2)).toEqual([
      expect.stringMatching(`^llm-jobs: BatchFailed: ${id} ended as failed`),
      expect.stringMatching(/^Correct /),
    ]);
  });

  test.each([
    ['that the provider does not have', 'batch_of_nobody', 5, /404/],
    ['that is none', '../files', 1, /must be an id/],
  ])('an id %s → the exit code, and nothing is started', async (_, id, exitCode, reason) => {
    const { code, err } = await llmJobs('adopt', id);
    expect({ code, message: err[0] }).toEqual({ code: exitCode, message: expect.stringMatching(reason) });
    const activity = stage.temporal.client.activity.getHandle(`adopt/default/${id}`);
    await expect(activity.describe()).rejects.toThrow(/not found/);
  });
});
