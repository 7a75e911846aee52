/**
 * What operators do to runs: reset, terminate, cancel twice, signal too late, find orphans. With the ready-made worker.
 */
import { randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { WorkflowFailedError, WorkflowNotFoundError, type WorkflowHandle } from '@temporalio/client';
import OpenAI from 'openai';
import { beforeAll, describe, expect, test } from 'vitest';
import { findOrphans, JOB_KEY } from '../../../src/index.js';
import type { BatchScenario } from '../../../src/testing/index.js';
import { HOUR } from '../../../dev/stage/timing.js';
import { workerProcessStage } from '../../support/stage.js';
import { endpoint, jobsOf, ownerOf } from '../../support/runs.js';
import { waitFor } from '../../../dev/stage/wait-for.js';
import type { WorkerProcess } from '../../../dev/stage/worker-process.js';
import { answer, API_KEY, rejection, serving } from '../../support/raw-server.js';
import { reset as resetRun, workflowTasks } from '../../support/operators.js';
import { chatExamples, chatRequests } from '../../support/samples.js';

const stage = workerProcessStage();
let worker: WorkerProcess;
beforeAll(async () => {
  worker = await stage.startWorker();
});

async function startBatch(workflowId: string, scenario?: BatchScenario) {
  if (scenario) stage.api.scenarios.forBatches(({ metadata }) => ownerOf({ metadata }) === workflowId, scenario);
  return stage.jobs.startBatch({ input: { requests: chatRequests(6) }, endpoint }, { workflowId });
}
const STUCK: BatchScenario = { stuckIn: ['in_progress'] };
const startFineTuning = async (workflowId: string) =>
  stage.jobs.startFineTuning(
    { model: 'gpt-4o-mini-2024-07-18', trainingFile: { uri: await stage.write(chatExamples(10)) } },
    { workflowId },
  );

const reset = (handle: WorkflowHandle, runId: string, eventId: number) =>
  resetRun(stage.temporal.client, handle, runId, eventId);

/** The next batch and the next job stay in progress, so that nothing ends during a test. */
function keepNextInProgress(): void {
  stage.api.scenarios.forNextBatch({ stuckIn: ['in_progress'] });
  stage.api.scenarios.forNextFineTuningJob({ stuckIn: ['running'] });
}

describe.concurrent('reset', () => {
  test('a finished batch run, to each of its workflow tasks → the same batch every time, no other', async () => {
    const run = await startBatch(`reset-batch-${randomUUID()}`);
    const before = await run.result();
    const { runId } = await run.handle.describe();
    const tasks = await workflowTasks(run.handle);
    expect(tasks.length).toBeGreaterThan(5);
    for (const task of tasks) {
      const again = stage.jobs.batch(run.workflowId, await reset(run.handle, runId, task));
      expect(await again.result()).toMatchObject({ batchId: before.batchId, lines: before.lines });
    }
    expect(await jobsOf(stage.api, run.workflowId)).toHaveLength(1);
    expect((await stage.api.files()).filter(({ filename }) => filename.includes(run.workflowId))).toHaveLength(1);
  });

  test('a finished fine-tuning run, to each of its workflow tasks → the same job every time, no other', async () => {
    const run = await startFineTuning(`reset-fine-tuning-${randomUUID()}`);
    const before = await run.result();
    const { runId } = await run.handle.describe();
    for (const task of await workflowTasks(run.handle)) {
      const again = stage.jobs.fineTuning(run.workflowId, await reset(run.handle, runId, task));
      expect(await again.result()).toMatchObject({ jobId: before.jobId, fineTunedModel: before.fineTunedModel });
    }
    expect(await jobsOf(stage.api, run.workflowId)).toHaveLength(1);
  });

  test('a running batch run, to each of its workflow tasks in turn → one batch', async () => {
    const run = await startBatch(`reset-running-${randomUUID()}`, {
      timing: { inProgressMs: 10 * HOUR, jitter: 0 },
    });
    await waitFor(async () => (await run.progress()).status === 'in_progress', 'in_progress');
    let { runId } = await run.handle.describe();
    for (const task of (await workflowTasks(run.handle)).toReversed()) runId = await reset(run.handle, runId, task);
    expect((await stage.jobs.batch(run.workflowId).result()).status).toBe('completed');
    expect(await jobsOf(stage.api, run.workflowId)).toHaveLength(1);
  });
});

describe.concurrent('reset of a run that was cancelled', () => {
  test('a batch run, to each of its workflow tasks → the cancel is applied again, and finds the same batch every time', async () => {
    const run = await startBatch(`reset-cancelled-${randomUUID()}`, STUCK);
    await waitFor(async () => (await run.progress()).status === 'in_progress', 'in_progress');
    await run.cancel('enough');
    const before = await run.result();
    expect(before.status).toBe('cancelled');
    const { runId } = await run.handle.describe();
    for (const task of await workflowTasks(run.handle)) {
      const again = stage.jobs.batch(run.workflowId, await reset(run.handle, runId, task));
      const { status, batchId, lines } = await again.result();
      expect({ task, status, batchId, lines }).toEqual({
        task,
        status: 'cancelled',
        batchId: before.batchId,
        lines: before.lines,
      });
    }
    expect(await jobsOf(stage.api, run.workflowId)).toHaveLength(1);
  });

  test('a running batch, reset to its first workflow task together with a cancel → the batch is cancelled', async () => {
    const run = await startBatch(`reset-cancel-${randomUUID()}`, STUCK);
    await waitFor(async () => (await run.progress()).status === 'in_progress', 'in_progress');
    const { runId } = await run.handle.describe();
    await run.cancel('enough');
    const [task = 0] = await workflowTasks(run.handle);
    const again = stage.jobs.batch(run.workflowId, await reset(run.handle, runId, task));
    const { status, batchId } = await again.result();
    const jobs = await jobsOf(stage.api, run.workflowId);
    expect(jobs.map((job) => job.status)).toEqual(['cancelled']);
    expect({ status, batchId }).toEqual({ status: 'cancelled', batchId: jobs[0]?.id });
  });
});

describe.concurrent('cancel and terminate', () => {
  test('native cancel twice → Cancelled, the batch cancelled once', async () => {
    const run = await startBatch(`cancel-twice-${randomUUID()}`, STUCK);
    await waitFor(async () => (await run.progress()).status === 'in_progress', 'in_progress');
    await run.handle.cancel();
    await run.handle.cancel();
    await expect(run.result()).rejects.toBeInstanceOf(WorkflowFailedError);
    expect((await jobsOf(stage.api, run.workflowId)).map(({ status }) => status)).toEqual(['cancelled']);
  });

  test('cancel, then terminate → ended immediately; nothing else is created', async () => {
    const run = await startBatch(`cancel-terminate-${randomUUID()}`, STUCK);
    await waitFor(async () => (await run.progress()).status === 'in_progress', 'in_progress');
    await run.handle.cancel();
    await run.handle.terminate('enough');
    await expect(run.result()).rejects.toBeInstanceOf(WorkflowFailedError);
    expect(await jobsOf(stage.api, run.workflowId)).toHaveLength(1);
  });

  test('signals after the end → refused by the server, nothing happens', async () => {
    const run = await startBatch(`signal-late-${randomUUID()}`);
    await run.result();
    await expect(run.cancel('too late')).rejects.toBeInstanceOf(WorkflowNotFoundError);
    await expect(run.wake()).rejects.toBeInstanceOf(WorkflowNotFoundError);
    expect((await jobsOf(stage.api, run.workflowId)).map(({ status }) => status)).toEqual(['completed']);
  });
});

async function clusterId(): Promise<string> {
  return (await stage.temporal.client.workflowService.getClusterInfo({})).clusterId ?? '';
}

async function orphansOf(workflowIds: readonly string[], cancel = false) {
  const found = await findOrphans({ temporal: stage.temporal.client, openai: stage.openai, cancel });
  return found.filter(({ owner }) => workflowIds.includes(owner.workflowId));
}

describe('findOrphans', () => {
  test('a redirect of the list to another origin → refused, the key is not sent there', async () => {
    const keys: (string | undefined)[] = [];
    const elsewhere: RequestListener = (request, response) => {
      keys.push(request.headers.authorization);
      answer(200, { data: [], has_more: false })(request, response);
    };
    await serving(elsewhere, (location) =>
      serving(
        (_, response) => response.writeHead(302, { location: `${location}/batches` }).end(),
        async (baseURL) => {
          const openai = new OpenAI({ apiKey: API_KEY, baseURL, maxRetries: 0 });
          const error = await rejection(findOrphans({ temporal: stage.temporal.client, openai }));
          expect(error).toMatchObject({ status: 302 });
        },
      ),
    );
    expect(keys).toEqual([]);
  });

  test('a terminated run of each kind → its job is found with its owner, cancelled on demand, and then no longer found', async () => {
    keepNextInProgress();
    const batch = await startBatch(`orphan-batch-${randomUUID()}`);
    const tuning = await startFineTuning(`orphan-tuning-${randomUUID()}`);
    await waitFor(async () => (await batch.progress()).status === 'in_progress', 'the batch');
    await waitFor(async () => (await tuning.progress()).status === 'running', 'the job');
    const ids = [batch.workflowId, tuning.workflowId];
    expect(await orphansOf(ids)).toEqual([]);

    const { runId } = await batch.handle.describe();
    await Promise.all([batch.handle.terminate(), tuning.handle.terminate()]);
    const found = await orphansOf(ids);
    expect(found).toMatchObject([
      { kind: 'batch', status: 'in_progress', reason: 'runEnded', runStatus: 'TERMINATED', isCancelled: false },
      { kind: 'fineTuning', status: 'running', runStatus: 'TERMINATED', isCancelled: false },
    ]);
    const { namespace } = stage.temporal;
    const cluster = await clusterId();
    expect(found[0]?.owner).toEqual({ cluster, namespace, workflowId: batch.workflowId, runId });
    expect((await jobsOf(stage.api, batch.workflowId))[0]?.status).toBe('in_progress');

    expect((await orphansOf(ids, true)).map(({ isCancelled }) => isCancelled)).toEqual([true, true]);
    await waitFor(async () => (await jobsOf(stage.api, batch.workflowId))[0]?.status === 'cancelled', 'cancelled');
    expect(await orphansOf(ids)).toEqual([]);
  });

  test('a run that was reset and continues → its job is not an orphan', async () => {
    keepNextInProgress();
    const run = await startBatch(`orphan-reset-${randomUUID()}`);
    await waitFor(async () => (await run.progress()).status === 'in_progress', 'in_progress');
    const { runId } = await run.handle.describe();
    await reset(run.handle, runId, (await workflowTasks(run.handle))[0] ?? 0);
    expect(await orphansOf([run.workflowId])).toEqual([]);
    await stage.jobs.batch(run.workflowId).handle.terminate();
    expect(await orphansOf([run.workflowId], true)).toMatchObject([{ runStatus: 'TERMINATED', isCancelled: true }]);
  });

  test('a run whose id is too long for the key → found by its run id, and not an orphan while it runs', async () => {
    keepNextInProgress();
    const run = await startBatch(`orphan-long-${'x'.repeat(700)}-${randomUUID()}`);
    await waitFor(async () => (await run.progress()).status === 'in_progress', 'in_progress');
    const jobId = (await run.progress()).jobId;
    const isFound = async () =>
      (await findOrphans({ temporal: stage.temporal.client, openai: stage.openai })).some(
        (orphan) => orphan.jobId === jobId,
      );
    // Visibility is updated with a delay.
    await waitFor(async () => !(await isFound()), 'the run to be visible');
    await run.handle.terminate();
    expect(await isFound()).toBe(true);
  });

  test('a run that is open, with three jobs of its key → the one it follows is left alone, the others are named', async () => {
    keepNextInProgress();
    const run = await startBatch(`orphan-twins-${randomUUID()}`);
    await waitFor(async () => (await run.progress()).status === 'in_progress', 'in_progress');
    const { jobId } = await run.progress();
    const [followed] = await jobsOf(stage.api, run.workflowId);
    const twin = async () => {
      keepNextInProgress();
      const { input_file_id: file, metadata } = followed as OpenAI.Batch;
      return stage.openai.batches.create({ input_file_id: file, endpoint, completion_window: '24h', metadata });
    };
    const twins = [await twin(), await twin()].map(({ id }) => id);
    const named = await orphansOf([run.workflowId]);
    expect(named.map((orphan) => orphan.jobId).toSorted()).toEqual(twins.toSorted());
    expect(named).toMatchObject([1, 2].map(() => ({ reason: 'duplicate', runStatus: 'RUNNING', isCancelled: false })));
    expect((await orphansOf([run.workflowId], true)).map(({ isCancelled }) => isCancelled)).toEqual([true, true]);
    await waitFor(async () => (await orphansOf([run.workflowId])).length === 0, 'the twins to be cancelled');
    expect((await run.progress()).jobId).toBe(jobId);
    expect((await run.progress()).status).toBe('in_progress');
    await run.handle.terminate();
    expect(await orphansOf([run.workflowId], true)).toMatchObject([{ jobId, reason: 'runEnded', isCancelled: true }]);
  });

  test('a run of another namespace or of another cluster, an invalid key, no key → left alone; older than since → not checked', async () => {
    const client = stage.openai;
    const file = await client.files.create({
      file: new File([`${JSON.stringify(chatRequests(1)[0])}\n`], 'x.jsonl'),
      purpose: 'batch',
    });
    stage.api.scenarios.forBatches(() => true, { stuckIn: ['in_progress'] });
    const create = (metadata: Record<string, string> | null) =>
      client.batches.create({ input_file_id: file.id, endpoint, completion_window: '24h', metadata });
    const { namespace } = stage.temporal;
    const cluster = await clusterId();
    await create({ [JOB_KEY]: `${cluster}/elsewhere/some-workflow/some-run` });
    await create({ [JOB_KEY]: `${randomUUID()}/${namespace}/some-workflow/some-run` });
    await create({ [JOB_KEY]: `-/${namespace}/some-workflow/some-run` });
    await create({ [JOB_KEY]: 'no key' });
    await create(null);
    const gone = await create({ [JOB_KEY]: `${cluster}/${namespace}/never-was/${randomUUID()}` });
    stage.api.scenarios.clear();
    expect(await orphansOf(['some-workflow', 'never-was'])).toMatchObject([{ jobId: gone.id, runStatus: 'NOT_FOUND' }]);
    const since = new Date(((await stage.api.batches())[0]?.created_at ?? 0) * 1_000 + 1_000);
    expect(await findOrphans({ temporal: stage.temporal.client, openai: client, since, kinds: ['batch'] })).toEqual([]);
  });
});

test('the worker, after all of this → still runs, and logged no error', async () => {
  expect(worker.stderr()).not.toMatch(/"level":"ERROR"/);
  expect(await worker.stop('SIGTERM')).toBe(0);
});
