/** Runs that Temporal has removed, as it does after the retention of the namespace: their results are in storage. */
import { fileURLToPath } from 'node:url';
import { WorkflowNotFoundError, type WorkflowHandle } from '@temporalio/client';
import { beforeAll, describe, expect, test } from 'vitest';
import { LlmJobsClient, readManifest, RunNotFoundError, safeName } from '../../src/client.js';
import type { BatchResult, BulkBatchResult, FineTuningResult } from '../../src/index.js';
import { waitFor } from '../../dev/stage/wait-for.js';
import { llmJobs, useVariablesOf } from '../support/commands.js';
import { endpoint } from '../support/runs.js';
import { chatExamples, chatRequests } from '../support/samples.js';
import { devServerStage } from '../support/stage.js';

const JOB_MS = { validatingMs: 50, queuedMs: 50, runningMs: 200, jitter: 0 };

const isGone = (handle: WorkflowHandle): Promise<boolean> =>
  handle.describe().then(
    () => false,
    (error: unknown) => error instanceof WorkflowNotFoundError,
  );

describe('runs that Temporal has removed', () => {
  const stage = devServerStage({ api: { fineTuning: JOB_MS } });
  const ids = {
    batch: 'removed-batch',
    bulk: 'Removed/Bulk',
    fineTuning: 'removed-fine-tuning',
    failed: 'removed-failed',
  };
  let results: { readonly batch: BatchResult; readonly bulk: BulkBatchResult; readonly fineTuning: FineTuningResult };
  let bulkRunId = '';
  const withStorage = () =>
    new LlmJobsClient(stage.temporal.client, { taskQueue: stage.temporal.taskQueue, storage: stage.storage });

  useVariablesOf(stage, () => ({ LLM_JOBS_STORAGE: stage.root }));

  beforeAll(async () => {
    const { jobs } = stage;
    const outputUri = `${stage.root}elsewhere/`;
    const input = { uri: await stage.write(chatRequests(4)) };
    const trainingFile = { uri: await stage.write(chatExamples(12)) };
    const model = 'gpt-4o-mini-2024-07-18';
    const bulk = await jobs.startBulkBatch({ input, split: { requests: 2 } }, { workflowId: ids.bulk });
    bulkRunId = (await bulk.handle.describe()).runId;
    const fineTuning = await jobs.startFineTuning({ model, trainingFile }, { workflowId: ids.fineTuning });
    const batch = await jobs.startBatch({ input, endpoint, outputUri }, { workflowId: ids.batch });
    const [ofBatch, ofBulk, ofFineTuning] = await Promise.all([batch.result(), bulk.result(), fineTuning.result()]);
    results = { batch: ofBatch, bulk: ofBulk, fineTuning: ofFineTuning };
    stage.api.scenarios.forNextBatch('failsOnFile');
    const failed = await jobs.startBatch({ input, endpoint }, { workflowId: ids.failed });
    await failed.result().catch(() => null);
    await removed([batch.handle, bulk.handle, fineTuning.handle, failed.handle]);
  });

  /** Removes the runs, and waits until the server has done so, which takes it up to 35 s. */
  async function removed(handles: readonly WorkflowHandle[]): Promise<void> {
    const { workflowService, options } = stage.temporal.client;
    for (const { workflowId } of handles) {
      await workflowService.deleteWorkflowExecution({
        namespace: options.namespace,
        workflowExecution: { workflowId },
      });
    }
    for (const handle of handles) await waitFor(() => isGone(handle), `the removal of ${handle.workflowId}`);
  }

  test('a client with the storage → result() of each kind, the same as Temporal had', async () => {
    const jobs = withStorage();
    expect(await jobs.batch(ids.batch).result()).toEqual(results.batch);
    expect(await jobs.bulkBatch(ids.bulk).result()).toEqual(results.bulk);
    expect(await jobs.bulkBatch(ids.bulk, bulkRunId).result()).toEqual(results.bulk);
    expect(await jobs.fineTuning(ids.fineTuning).result()).toEqual(results.fineTuning);
  });

  test.each([
    ['another run of the workflow id', () => withStorage().bulkBatch(ids.bulk, 'e2b0c442-98fc-4c14-9afb-f4c8996fb924')],
    ['a run of another kind', () => withStorage().fineTuning(ids.batch)],
    ['a run that failed', () => withStorage().batch(ids.failed)],
    ['a run that never was', () => withStorage().batch('never-was')],
  ])('%s → RunNotFoundError, which says that storage has nothing', async (_, run) => {
    const asked = run().result();
    await expect(asked).rejects.toThrow(RunNotFoundError);
    await expect(asked).rejects.toThrow('the storage has no result of it under this workflow id');
  });

  test('a client without the storage → RunNotFoundError, which says what to give it', async () => {
    const run = stage.jobs.batch(ids.batch);
    await expect(run.result()).rejects.toThrow('new LlmJobsClient(client, { storage })');
    await expect(withStorage().batch(ids.batch).progress()).rejects.toThrow(RunNotFoundError);
  });

  test('readManifest → by the id of the job, or the folder of a bulk batch', async () => {
    const { batch, bulk, fineTuning } = results;
    const folder = decodeURIComponent(new URL(bulk.output!.uri).pathname.split('/').at(-2)!);
    expect(folder).toBe(`Removed-Bulk.${bulkRunId}`);
    expect(await readManifest(stage.storage, folder)).toEqual({ kind: 'bulk', result: bulk });
    expect(await readManifest(stage.storage, fineTuning.jobId!)).toEqual({ kind: 'fineTuning', result: fineTuning });
    const elsewhere = `${stage.root}elsewhere/`;
    expect(await readManifest(stage.storage, batch.batchId!, elsewhere)).toEqual({ kind: 'batch', result: batch });
  });

  test('the runs of parts → no record: nobody looks for them', async () => {
    const records: string[] = [];
    for await (const { uri } of stage.storage.list(`${stage.root}runs/`)) records.push(decodeURIComponent(uri));
    const names = [ids.batch, ids.bulk, ids.fineTuning].map((id) => `${safeName(id)}.json`);
    expect(new Set(records.map((uri) => uri.split('/').at(-1)))).toEqual(new Set(names));
  });

  test('llm-jobs results → the answers from storage, by the workflow id', async () => {
    for (const id of [ids.batch, ids.bulk]) {
      const { code, out } = await llmJobs('results', id, '--text');
      expect([code, out.length]).toEqual([0, 4]);
    }
  });

  test('llm-jobs report → a page of each, by the workflow id', async () => {
    for (const id of [ids.batch, ids.bulk, ids.fineTuning]) {
      const { code, out } = await llmJobs('report', id, '--out', fileURLToPath(`${stage.root}report.html`), '--json');
      expect([code, JSON.parse(out.join(''))]).toMatchObject([0, { id }]);
    }
  });

  test('llm-jobs results with the id of a batch → its answers', async () => {
    const run = await stage.jobs.startBatch({ input: { requests: chatRequests(3) }, endpoint });
    const { batchId } = await run.result();
    expect((await llmJobs('results', batchId!)).out).toHaveLength(3);
  });

  test('llm-jobs results: what is not there → what to do', async () => {
    expect((await llmJobs('results', ids.batch, '--with-input')).err).toEqual([
      'llm-jobs: Temporal has removed the run, and with it the name of its input',
      'Read the results without --with-input.',
    ]);
    const { code, err } = await llmJobs('results', ids.fineTuning);
    expect([code, err.at(-1)]).toEqual([5, `Its model: ${results.fineTuning.fineTunedModel}`]);
    const unknown = await llmJobs('results', 'never-was');
    expect(unknown.code).toBe(4);
    expect(unknown.err[0]).toMatch(/no run has the workflow id "never-was" .*, and storage has no result of it$/);
    expect(unknown.err[1]).toMatch(/^Ended runs are removed .* llm-jobs results batch_abc\. .*llm-jobs list --all$/);
  });
});
