/** A worker is killed during a bulk batch: in the split, in an upload, in the merge. */
import { readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { LlmJobsClient, type BulkBatchRun } from '../../../src/client.js';
import { JOB_KEY, jobOwnerOf } from '../../../src/index.js';
import { workerProcessStage } from '../../support/stage.js';
import { readLines } from '../../support/runs.js';
import { waitFor } from '../../../dev/stage/wait-for.js';
import { chatRequests } from '../../support/samples.js';

const REQUESTS = chatRequests(3_000);
const stage = workerProcessStage({
  batches: { validatingMs: 60_000, inProgressMs: 600_000, finalizingMs: 60_000, jitter: 0 },
});
beforeAll(() => {
  stage.api.faults.add({ on: 'files.create', times: Infinity, effect: { kind: 'delay', ms: 2_000 } });
});

/** When to kill the worker: each function resolves at its moment. */
const MOMENTS: Readonly<Record<string, (run: BulkBatchRun) => Promise<void>>> = {
  split: () => waitFor(async () => (await files('split', 'round-1')) > 0, 'the first part'),
  upload: async (run) => {
    await waitFor(async () => {
      const { running, done } = (await run.progress()).parts;
      return running + done === 3;
    }, 'three batches');
    await sleep(700);
  },
  merge: (run) => waitFor(async () => ['collecting', 'done'].includes((await run.progress()).phase), 'the merge'),
};

test.concurrent.each(Object.keys(MOMENTS))(
  'SIGKILL in the middle of the %s → the result is complete, no part submitted twice',
  { timeout: 120_000 },
  async (moment) => {
    // A task queue of its own: the others' workers are killed at other moments.
    const taskQueue = `${stage.temporal.taskQueue}-${moment}`;
    const startWorker = () => stage.startWorker({ LLM_JOBS_TASK_QUEUE: taskQueue });
    const uri = await stage.write(REQUESTS);
    const first = await startWorker();
    const run = await new LlmJobsClient(stage.temporal.client, { taskQueue }).startBulkBatch({
      input: { uri },
      outputUri: new URL(`${moment}/`, uri).href,
      split: { requests: 1_000 },
      maxParallel: 3,
    });
    await MOMENTS[moment]?.(run);
    expect(await first.stop('SIGKILL')).toBe('SIGKILL');
    const second = await startWorker();
    const result = await run.result();
    await second.stop('SIGTERM');

    expect(result).toMatchObject({ lines: { succeeded: REQUESTS.length }, batches: 3, rounds: 1, errors: null });
    const lines = await readLines(result.output?.uri);
    expect(lines.map(({ custom_id }) => custom_id)).toEqual(REQUESTS.map(({ custom_id }) => custom_id));
    const owners = (await stage.api.batches()).map(({ metadata }) => jobOwnerOf(metadata?.[JOB_KEY] ?? '')?.workflowId);
    expect(owners.filter((id) => id?.startsWith(`${run.workflowId}/`))).toHaveLength(3);
  },
);

/** How many files of a part there are in the folder of the moment, complete or not. */
async function files(moment: string, part: string): Promise<number> {
  const names = await readdir(`${stage.folder}/${moment}`, { recursive: true }).catch(() => []);
  return names.filter((name) => name.includes(`${part}/`)).length;
}
