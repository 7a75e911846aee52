/** What other languages, scripts and people use: the `temporal` CLI and the names of the contract. */
import { beforeAll, describe, expect, test } from 'vitest';
import { readManifest } from '../../src/client.js';
import { commandsIn } from '../support/docs/shell.js';
import { readPage } from '../support/docs/pages.js';
import { chatExamples, chatRequests } from '../support/samples.js';
import { workerProcessStage } from '../support/stage.js';
import { endpoint } from '../support/runs.js';
import { ManualClock } from '../../src/testing/index.js';
import { HOUR, SHORT_JOBS } from '../../dev/stage/timing.js';
import { waitFor } from '../../dev/stage/wait-for.js';
import { temporalCli } from '../support/operators.js';

/** The arguments of the lines that the docs show, by the activity. */
const DOCUMENTED = new Map(
  readPage('docs/how-to/operations.md')
    .blocks.flatMap(({ text }) => commandsIn(text))
    .filter(({ words: [program, group, verb] }) => [program, group, verb].join(' ') === 'temporal activity execute')
    .map(({ words }) => [words[words.indexOf('--type') + 1], words.slice(1)]),
);

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

  /** A batch that somebody else has created, without this library. */
  const createBatch = async () => {
    const content = chatRequests(4)
      .map((request) => `${JSON.stringify(request)}\n`)
      .join('');
    const file = await stage.openai.files.create({ file: new File([content], 'own.jsonl'), purpose: 'batch' });
    return stage.openai.batches.create({ input_file_id: file.id, endpoint, completion_window: '24h' });
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

  describe('activity execute, without a workflow', () => {
    let count = 0;
    /** The line of the docs, with this stage in place of its names. */
    const execute = async (type: string, input: unknown): Promise<unknown> => {
      count += 1;
      const own = new Map([
        ['--activity-id', `${type}-${count}-${stage.temporal.taskQueue}`],
        ['--task-queue', stage.temporal.taskQueue],
        ['--input', JSON.stringify(input)],
      ]);
      const args = DOCUMENTED.get(type)?.map((word, index, all) => own.get(all[index - 1] ?? '') ?? word);
      if (!args) throw new Error(`docs/how-to/operations.md has no line for ${type}`);
      return temporalCli(stage.temporal, ...args);
    };

    test('cancelBatch with a bare id → cancelled; again → left as it is', async () => {
      const { id } = await createBatch();
      expect(await execute('cancelBatch', id)).toMatchObject({
        result: { isAccepted: true, job: { status: 'cancelling' } },
      });
      clock.advance(HOUR);
      const again = await execute('cancelBatch', { id, provider: null });
      expect(again).toMatchObject({ result: { isAccepted: true, job: { status: 'cancelled' } } });
    });

    test('cancelFineTuningJob with a bare id → cancelled', async () => {
      const training = chatExamples(10).map((example) => `${JSON.stringify(example)}\n`);
      const file = await stage.openai.files.create({ file: new File(training, 'own.jsonl'), purpose: 'fine-tune' });
      const { id } = await stage.openai.fineTuning.jobs.create({
        model: 'gpt-4o-mini-2024-07-18',
        training_file: file.id,
      });
      expect(await execute('cancelFineTuningJob', id)).toMatchObject({ result: { isAccepted: true, job: { id } } });
      clock.advance(HOUR);
      expect((await stage.openai.fineTuning.jobs.retrieve(id)).status).toBe('cancelled');
    });

    test('collectBatch of a batch that somebody else created → waits for its end, then its results in storage', async () => {
      const { id } = await createBatch();
      const collected = execute('collectBatch', { id });
      await waitFor(() => stage.calls('batches.retrieve').length > 1, 'a second look');
      clock.advance(12 * HOUR);
      expect(await collected).toMatchObject({
        result: { status: 'completed', batchId: id, lines: { succeeded: 4, missing: 0 }, output: { lines: 4 } },
      });
      expect(await readManifest(stage.storage, id)).toMatchObject({ kind: 'batch', result: { batchId: id } });
    });

    test('checkBatchInput with the URI of a file → its requests, or its faults', async () => {
      expect(await execute('checkBatchInput', await stage.write(chatRequests(7)))).toMatchObject({
        result: { requests: 7, model: 'gpt-4o-mini' },
      });
      const faulty = { uri: await stage.write([...chatRequests(1), { custom_id: 'b' }]), endpoint };
      const failed = await execute('checkBatchInput', faulty).catch((error: unknown) => error);
      expect(JSON.stringify(failed)).toMatch(/InvalidInput/);
    });

    test('findOrphans with null → the job whose run was terminated, and no job of others', async () => {
      const id = `cli-orphan-${stage.temporal.taskQueue}`;
      await start(id);
      await waitFor(async () => (await progress(id)).jobId !== null, 'the job');
      await stage.temporal.client.workflow.getHandle(id).terminate();
      const { result: orphans } = (await execute('findOrphans', null)) as {
        result: { owner: { workflowId: string } }[];
      };
      expect(orphans).toMatchObject([{ owner: { workflowId: id }, reason: 'runEnded', isCancelled: false }]);
    });
  });
});
