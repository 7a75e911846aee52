/** What other languages, scripts and people use: the `temporal` CLI and the names of the contract. */
import { beforeAll, describe, expect, test } from 'vitest';
import { chatRequests } from '../support/samples.js';
import { workerProcessStage } from '../support/stage.js';
import { endpoint } from '../support/runs.js';
import { ManualClock } from '../../src/testing/index.js';
import { HOUR, SHORT_JOBS } from '../../dev/stage/timing.js';
import { waitFor } from '../../dev/stage/wait-for.js';
import { temporalCli } from '../support/operators.js';

describe('from the temporal CLI alone', () => {
  // Each call of the CLI takes a while, so time stands still in between.
  const clock = new ManualClock(Date.now());
  const stage = workerProcessStage({ clock, ...SHORT_JOBS });
  beforeAll(async () => {
    await stage.startWorker();
  });

  const start = async (workflowId: string) => {
    const spec = { input: { uri: await stage.write(chatRequests(40)) }, endpoint };
    const queue = ['--task-queue', stage.temporal.taskQueue];
    const what = ['--type', 'runBatch', '--workflow-id', workflowId, '--input', JSON.stringify(spec)];
    await temporalCli(stage.temporal, 'workflow', 'start', ...queue, ...what);
  };
  const result = (workflowId: string) => temporalCli(stage.temporal, 'workflow', 'result', '--workflow-id', workflowId);
  const progress = async (workflowId: string) => {
    const reply = await temporalCli(
      stage.temporal,
      'workflow',
      'query',
      '--workflow-id',
      workflowId,
      '--type',
      'progress',
    );
    return (reply as { queryResult: [{ status: string; jobId: string | null }] }).queryResult[0];
  };

  const reachInProgress = async (id: string) => {
    await waitFor(async () => (await progress(id)).status === 'validating', 'validating');
    clock.advance(HOUR);
    await waitFor(async () => (await progress(id)).status === 'in_progress', 'in_progress');
  };

  test('workflow start → completes with the manifest; workflow query → its progress', async () => {
    const id = `cli-start-${stage.temporal.taskQueue}`;
    await start(id);
    await reachInProgress(id);
    expect(await progress(id)).toMatchObject({ phase: 'waiting', cancelRequested: false, counts: { total: 40 } });
    clock.advance(3 * HOUR);
    expect(await result(id)).toMatchObject({
      status: 'COMPLETED',
      result: {
        status: 'completed',
        lines: { succeeded: 40, failed: 0, unfinished: 0, missing: 0 },
        output: { lines: 40 },
      },
    });
    expect(await progress(id)).toMatchObject({ phase: 'done', status: 'completed' });
  });

  test('workflow signal --name cancel → cancelled at the provider, the partial results kept', async () => {
    const id = `cli-cancel-${stage.temporal.taskQueue}`;
    await start(id);
    await reachInProgress(id);
    const signal = ['--name', 'cancel', '--input', '"from the CLI"'];
    await temporalCli(stage.temporal, 'workflow', 'signal', '--workflow-id', id, ...signal);
    await waitFor(() => stage.calls('batches.cancel').length > 0, 'the cancel');
    clock.advance(HOUR);
    const { result: manifest } = (await result(id)) as { result: { batchId: string; lines: Record<string, number> } };
    expect(manifest).toMatchObject({ status: 'cancelled', cancellation: { by: 'signal', reason: 'from the CLI' } });
    expect((manifest.lines.succeeded ?? 0) + (manifest.lines.unfinished ?? 0)).toBe(40);
    const batch = (await stage.api.batches()).find(({ id: batchId }) => batchId === manifest.batchId);
    expect(batch?.status).toBe('cancelled');
  });
});
