import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../src/testing/index.js';
import { chatRequests } from '../support/samples.js';
import { workerProcessStage } from '../support/stage.js';
import { endpoint } from '../support/runs.js';
import { waitFor } from '../../dev/stage/wait-for.js';
import { HOUR, IMMEDIATE_BATCH } from '../../dev/stage/timing.js';

describe('a worker that is stopped', () => {
  // A clock that stands still: a batch is in progress for as long as it takes to stop a worker.
  const clock = new ManualClock(Date.now());
  const stage = workerProcessStage({ clock });
  const input = { requests: chatRequests(10) };

  test('while a batch is in progress → exits with 0, cancels nothing, and the next worker takes over', async () => {
    const first = await stage.startWorker();
    const run = await stage.jobs.startBatch({ input, endpoint });
    await waitFor(async () => (await run.progress()).status === 'validating', 'validating');
    clock.advance(HOUR);
    await waitFor(async () => (await run.progress()).status === 'in_progress', 'in_progress');
    expect(await first.stop('SIGTERM')).toBe(0);
    expect(first.stdout().split('\n')).toEqual([
      expect.stringMatching(/^llm-jobs worker ready: task queue test-/),
      'llm-jobs worker stopped: no job was cancelled',
      '',
    ]);
    const logged = first.stderr().trimEnd().split('\n');
    expect(logged.map((line) => Object.keys(JSON.parse(line) as object).slice(0, 3))).toEqual(
      logged.map(() => ['time', 'level', 'message']),
    );

    const second = await stage.startWorker();
    clock.advance(3 * HOUR);
    expect((await run.result()).status).toBe('completed');
    expect(stage.calls('batches.cancel')).toEqual([]);
    expect(stage.calls('batches.create')).toHaveLength(1);
    expect(await second.stop('SIGTERM')).toBe(0);
  });

  test('by SIGKILL → a task of its runs waits for it for less than the ten seconds of the SDK', async () => {
    const first = await stage.startWorker();
    const run = await stage.jobs.startBatch({ input, endpoint });
    await waitFor(async () => (await run.progress()).status === 'validating', 'validating');
    await first.stop('SIGKILL');
    await run.handle.signal('anything');
    const second = await stage.startWorker();
    clock.advance(4 * HOUR);
    expect((await run.result()).status).toBe('completed');
    const { events = [] } = await run.handle.fetchHistory();
    const timedOut = events?.find((event) => event.workflowTaskTimedOutEventAttributes);
    const scheduled = events?.[Number(timedOut?.workflowTaskTimedOutEventAttributes?.scheduledEventId) - 1];
    // By the server's clock. The SDK's own limit would be 10 s at least.
    expect(Number(timedOut?.eventTime?.seconds) - Number(scheduled?.eventTime?.seconds)).toBeLessThan(10);
    await second.stop('SIGTERM');
  });

  test('in the middle of an upload → lets it finish before it goes', async () => {
    const first = await stage.startWorker();
    const fault = stage.api.faults.add({ on: 'files.create', effect: { kind: 'delay', ms: 1_500 } });
    const before = stage.calls('files.create').length;
    stage.api.scenarios.forNextBatch({ timing: IMMEDIATE_BATCH });
    const run = await stage.jobs.startBatch({ input, endpoint });
    await waitFor(() => fault.hits === 1, 'the upload');
    expect(await first.stop('SIGTERM')).toBe(0);
    const second = await stage.startWorker();
    expect((await run.result()).lines.succeeded).toBe(10);
    expect(stage.calls('files.create')).toHaveLength(before + 1);
    await second.stop('SIGTERM');
  });

  test('in the middle of an upload that outlasts the time to drain → the next worker uploads it', async () => {
    const first = await stage.startWorker({ LLM_JOBS_SHUTDOWN_GRACE: '300ms' });
    const fault = stage.api.faults.add({ on: 'files.create', effect: 'timeout' });
    stage.api.scenarios.forNextBatch({ timing: IMMEDIATE_BATCH });
    const run = await stage.jobs.startBatch({ input, endpoint });
    await waitFor(() => fault.hits === 1, 'the upload');
    expect(await first.stop('SIGTERM')).toBe(0);
    const { raw } = await run.handle.describe();
    expect(raw.pendingActivities?.[0]?.lastFailure?.applicationFailureInfo?.type).toBe('WorkerStopped');
    const second = await stage.startWorker();
    expect((await run.result()).status).toBe('completed');
    await second.stop('SIGTERM');
  });
});
