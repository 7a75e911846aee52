/** The watch of an account on the real dev server: whom it wakes, and whom it leaves alone. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { ListedRun } from '../../../src/client.js';
import { accountWatchId } from '../../../src/contract/account-watch.js';
import { readWatch } from '../../../src/temporal/account-view.js';
import { waitFor } from '../../../dev/stage/wait-for.js';
import { chatRequests, jsonl } from '../../support/samples.js';
import { devServerStage } from '../../support/stage.js';
import { endpoint, historyLength } from '../../support/runs.js';
import { toFile } from 'openai';

const SLOW = { timing: { validatingMs: 50, inProgressMs: 60_000, jitter: 0 } };

describe('the watch of an account', () => {
  const stage = devServerStage({ watch: { mode: 'account', onOrphan: 'cancel' } });
  const watchId = () => accountWatchId(stage.temporal.taskQueue, 'default');
  const look = () => readWatch(stage.temporal.client, watchId());
  const showsProgress = async () => (await look()).view?.jobs.some(({ status }) => status === 'in_progress') ?? false;

  beforeEach(() => {
    stage.api.faults.clear();
  });

  test('jobs end → their runs are woken, and the watch ends after the last', async () => {
    const runs = await Promise.all(
      [1, 2, 3].map(() => stage.jobs.startBatch({ input: { requests: chatRequests(3) }, endpoint })),
    );
    const results = await Promise.all(runs.map((run) => run.result()));
    expect(results.map(({ status }) => status)).toEqual(['completed', 'completed', 'completed']);
    for (const run of runs) expect(await historyLength(run.handle)).toBeLessThanOrEqual(80);
    expect(stage.calls('batches.retrieve').length).toBeLessThanOrEqual(15);
    await waitFor(async () => !(await look()).isRunning, 'the watch to end');
  });

  test('of a backlog → sweeps are handed out before all else, and looks last', async () => {
    const run = await stage.jobs.startBatch({ input: { requests: chatRequests(3) }, endpoint });
    await run.result();
    const { client } = stage.temporal;
    const priorities = new Map<string, number>();
    for (const id of [run.workflowId, watchId()]) {
      const { events } = await client.workflow.getHandle(id).fetchHistory();
      for (const { activityTaskScheduledEventAttributes: task } of events ?? []) {
        if (task) priorities.set(task.activityType?.name ?? '', task.priority?.priorityKey ?? 0);
      }
    }
    const { sweepAccount, watchBatch, createBatch } = Object.fromEntries(priorities);
    expect({ sweepAccount, watchBatch, createBatch }).toEqual({ sweepAccount: 1, watchBatch: 4, createBatch: 0 });
  });

  test('a cancel → the run polls by itself until the batch is cancelled', async () => {
    stage.api.scenarios.forNextBatch(SLOW);
    const run = await stage.jobs.startBatch({ input: { requests: chatRequests(3) }, endpoint });
    await waitFor(async () => (await look()).view?.jobs[0]?.status === 'in_progress', 'in_progress');
    await run.cancel('enough');
    expect(await run.result()).toMatchObject({ status: 'cancelled', cancellation: { reason: 'enough' } });
  });

  test('a second hint while the run reads its job → it reads the job again, and sees its end', async () => {
    stage.api.faults.add({ on: 'batches.list', times: Infinity, effect: { kind: 'mutate', change: asAtFirst } });
    const run = await stage.jobs.startBatch({ input: { requests: chatRequests(3) }, endpoint });
    const ended = async () =>
      (await stage.api.batches()).some(
        ({ status, metadata }) =>
          status === 'completed' && (metadata?.temporal_llm_job?.includes(`/${run.workflowId}/`) ?? false),
      );
    await waitFor(ended, 'the end of the batch');
    stage.api.faults.add({ on: 'batches.retrieve', effect: { kind: 'delay', ms: 3_000 } });
    await run.wake();
    await waitFor(() => stage.calls('batches.retrieve').length > 0, 'the first read');
    await run.wake();
    expect((await run.result()).status).toBe('completed');
  });

  test('watch: job in the spec → no watch is started', async () => {
    await waitFor(async () => !(await look()).isRunning, 'the watch to end');
    const run = await stage.jobs.startBatch({ input: { requests: chatRequests(3) }, endpoint, watch: 'job' });
    expect((await run.result()).status).toBe('completed');
    expect((await look()).isRunning).toBe(false);
    expect(stage.calls('batches.retrieve').length).toBeGreaterThan(1);
  });

  test('a run is terminated → its batch is an orphan, and is cancelled while another keeps the watch', async () => {
    stage.api.scenarios.forNextBatch(SLOW);
    stage.api.scenarios.forNextBatch(SLOW);
    const input = { requests: chatRequests(3) };
    const lost = await stage.jobs.startBatch({ input, endpoint });
    await waitFor(showsProgress, 'the batch to be in progress');
    const listed: ListedRun[] = [];
    for await (const run of stage.jobs.list({ kinds: ['batch'] })) listed.push(run);
    expect(listed.find(({ workflowId }) => workflowId === lost.workflowId)).toMatchObject({
      kind: 'batch',
      status: 'RUNNING',
      job: { status: 'in_progress', counts: { failed: 0 } },
    });
    await lost.handle.terminate();
    const kept = await stage.jobs.startBatch({ input, endpoint });
    const statusOf = async (workflowId: string) =>
      (await stage.api.batches()).find(({ metadata }) => metadata?.temporal_llm_job?.includes(`/${workflowId}/`))
        ?.status;
    await waitFor(async () => (await statusOf(lost.workflowId)) === 'cancelled', 'the orphan to be cancelled');
    // The orphan may be cancelled before the other run has created its batch.
    await waitFor(async () => (await statusOf(kept.workflowId)) === 'in_progress', 'the other batch to be in progress');
    await kept.cancel();
    await kept.result();
  });

  test('look at a bulk batch → what its running batches have answered so far', async () => {
    const slow = stage.api.scenarios.forBatches(() => true, SLOW);
    const input = { uri: await stage.write(chatRequests(4)) };
    const run = await stage.jobs.startBulkBatch({ input, split: { requests: 2 } });
    await waitFor(async () => ((await run.look()).underWay?.total ?? 0) === 4, 'the counts of both batches');
    expect((await run.progress()).underWay).toMatchObject({ total: 4, failed: 0 });
    slow.remove();
    await run.cancel();
    expect((await run.result()).status).toBe('cancelled');
  });

  test('jobs of others, 150 newer and 150 older → at most three calls a sweep, and none of them is touched', async () => {
    const content = await toFile(Buffer.from(jsonl(chatRequests(1))), 'requests.jsonl');
    const { id } = await stage.openai.files.create({ file: content, purpose: 'batch' });
    const { openai, api } = stage;
    const create = () => openai.batches.create({ input_file_id: id, endpoint, completion_window: '24h' });
    const createOthers = () => Promise.all(Array.from({ length: 150 }, create));
    const others = api.scenarios.forBatches(({ metadata }) => metadata.temporal_llm_job === undefined, SLOW);
    await createOthers();
    api.scenarios.forNextBatch({ timing: { validatingMs: 50, inProgressMs: 3_000, jitter: 0 } });
    const run = await stage.jobs.startBatch({ input: { requests: chatRequests(3) }, endpoint });
    await createOthers();
    expect((await run.result()).status).toBe('completed');
    others.remove();
    const sweeps = api.requests.filter(
      ({ operation, path }) => operation === 'batches.list' && !path.includes('after='),
    ).length;
    expect(stage.calls('batches.list').length).toBeLessThanOrEqual(3 * sweeps);
    expect(stage.calls('batches.cancel')).toEqual([]);
  });
});

function asAtFirst(body: unknown) {
  const { data, ...page } = body as { data: object[] };
  return { ...page, data: data.map((batch) => ({ ...batch, status: 'validating' })) };
}
