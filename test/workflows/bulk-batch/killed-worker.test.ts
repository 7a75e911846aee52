/** A worker is killed during a bulk batch: in the split, in an upload, in the merge. */
import { readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { LlmJobsClient, type BulkBatchRun } from '../../../src/client.js';
import { JOB_KEY, jobOwnerOf } from '../../../src/index.js';
import { endToEnd, until } from '../../support/end-to-end.js';
import { readLines } from '../../support/lifecycle-harness.js';
import { chatRequests } from '../../support/samples.js';

const REQUESTS = chatRequests(9_000);
const e = endToEnd({ batches: { validatingMs: 60_000, inProgressMs: 600_000, finalizingMs: 60_000, jitter: 0 } });
beforeAll(() => {
  e.api.faults.add({ on: 'files.create', times: Infinity, effect: { kind: 'delay', ms: 2_000 } });
});

/** When to kill the worker: each function resolves at its moment. */
const MOMENTS: Readonly<Record<string, (run: BulkBatchRun) => Promise<void>>> = {
  split: () => until(async () => (await files('split', 'round-1')) > 0, 'the first part'),
  upload: async (run) => {
    await until(async () => (await run.progress()).parts.running === 3, 'three batches');
    await sleep(700);
  },
  merge: (run) => until(async () => (await run.progress()).phase === 'collecting', 'the merge'),
};

test.concurrent.each(Object.keys(MOMENTS))(
  'SIGKILL in the middle of the %s → the result is complete, no part submitted twice',
  { timeout: 120_000 },
  async (moment) => {
    // A separate task queue, since the workers of the other cases are killed at other moments.
    const taskQueue = `${e.temporal.taskQueue}-${moment}`;
    const startWorker = () => e.startWorker({ LLM_JOBS_TASK_QUEUE: taskQueue });
    const uri = await e.write(`${moment}.jsonl`, REQUESTS);
    const first = await startWorker();
    const run = await new LlmJobsClient(e.temporal.client, { taskQueue }).startBulkBatch({
      input: { uri },
      outputUri: new URL(`${moment}/`, uri).href,
      split: { requests: 3_000 },
      maxParallel: 3,
    });
    await MOMENTS[moment]?.(run);
    expect(await first.stop('SIGKILL')).toBe('SIGKILL');
    const second = await startWorker();
    const result = await run.result();
    await second.stop('SIGTERM');

    expect(result).toMatchObject({ lines: { succeeded: REQUESTS.length }, batches: 3, rounds: 1, errors: null });
    const lines = await readLines(result.output?.uri ?? '');
    expect(lines.map(({ custom_id }) => custom_id)).toEqual(REQUESTS.map(({ custom_id }) => custom_id));
    const owners = (await e.api.batches()).map(({ metadata }) => jobOwnerOf(metadata?.[JOB_KEY] ?? '')?.workflowId);
    expect(owners.filter((id) => id?.startsWith(`${run.workflowId}/`))).toHaveLength(3);
  },
);

/** How many files of a part there are in the folder of the moment, complete or not. */
async function files(moment: string, part: string): Promise<number> {
  const names = await readdir(`${e.folder}/${moment}`, { recursive: true }).catch(() => []);
  return names.filter((name) => name.includes(`${part}/`)).length;
}
