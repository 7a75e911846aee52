/** A worker that keeps no run in memory: each workflow task, those of the watch as well, replays the whole history. */
import { expect, test } from 'vitest';
import { waitFor } from '../../../dev/stage/wait-for.js';
import { isWatchRunning, wakersOf } from '../../support/account-watch.js';
import { endpoint } from '../../support/runs.js';
import { chatExamples, chatRequests } from '../../support/samples.js';
import { devServerStage } from '../../support/stage.js';

const stage = devServerStage({
  watch: { mode: 'account' },
  maxCachedWorkflows: 0,
  api: { fineTuning: { validatingMs: 50, queuedMs: 50, runningMs: 300, jitter: 0 } },
});

test('no run is kept in memory → a batch, a fine-tuning job and a bulk batch sleep, are woken and end right', async () => {
  const batch = await stage.jobs.startBatch({ input: { requests: chatRequests(3) }, endpoint });
  const trainingFile = { uri: await stage.write(chatExamples(10)) };
  const tuning = await stage.jobs.startFineTuning({ model: 'gpt-4o-mini-2024-07-18', trainingFile });
  const input = { uri: await stage.write(chatRequests(4)) };
  const bulk = await stage.jobs.startBulkBatch({ input, split: { requests: 2 } });

  expect(await batch.result()).toMatchObject({ status: 'completed', lines: { succeeded: 3 } });
  expect((await tuning.result()).status).toBe('succeeded');
  expect(await bulk.result()).toMatchObject({ status: 'completed', lines: { succeeded: 4 } });
  for (const { handle } of [batch, tuning]) expect(await wakersOf(handle)).not.toEqual([]);
  expect(stage.calls('batches.create')).toHaveLength(3);
  expect(stage.calls('fineTuning.create')).toHaveLength(1);
  await waitFor(async () => !(await isWatchRunning(stage)), 'the watch to end');
});
