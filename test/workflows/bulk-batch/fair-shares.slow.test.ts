/** Several bulk batches of one account at once, with room for a few of their parts. On the dev server, in real time. */
import { expect, test } from 'vitest';
import { waitFor } from '../../../dev/stage/wait-for.js';
import { JOB_KEY, jobOwnerOf } from '../../../src/client.js';
import { budgetState } from '../../support/budget.js';
import { idsOf, readLines } from '../../support/runs.js';
import { chatRequests } from '../../support/samples.js';
import { devServerStage } from '../../support/stage.js';

const stage = devServerStage();
const state = () => budgetState(stage.temporal);

const PARTS = 24;
/** Room for eight parts or so. */
const ENQUEUED_TOKENS = 400;
const PRIORITIES = [1, 1, 1, 2, 4];

test('five bulks by priority, one of them terminated in the middle → the room is kept to and shared, it comes back, none starves', async () => {
  stage.api.scenarios.forBatches(() => true, { timing: { inProgressMs: 3_000, jitter: 0 } });
  const requests = chatRequests(PARTS);
  const input = { uri: await stage.write(requests) };
  const runs = await Promise.all(
    PRIORITIES.map((priority) =>
      stage.jobs.startBulkBatch({
        input,
        split: { requests: 1 },
        maxParallel: PARTS,
        enqueuedTokens: ENQUEUED_TOKENS,
        priority,
      }),
    ),
  );
  const groups = runs.map(({ workflowId }) => workflowId);
  let most = 0;
  const hasTurn = async () => {
    const { leases, queue } = await state();
    most = Math.max(
      most,
      leases.reduce((sum, { tokens }) => sum + tokens, 0),
    );
    return { leases, waiting: groups.map((id) => queue.filter(({ group }) => group === id).length) };
  };
  await waitFor(async () => (await hasTurn()).waiting.every((count) => count > 0), 'five bulks that wait');
  const first = await createdBy(groups);
  // While all of them wait, each gets its share of what is granted.
  await waitFor(async () => (await hasTurn()).waiting.at(-1)! <= 2, 'the end of the largest share');
  const share = (await createdBy(groups)).map((count, index) => count - first[index]!);
  const perWeight = share.map((count, index) => count / PRIORITIES[index]!);
  const average = share.reduce((a, b) => a + b, 0) / PRIORITIES.reduce((a, b) => a + b, 0);
  for (const count of perWeight) expect(Math.abs(count - average)).toBeLessThanOrEqual(2);

  await runs[0]!.handle.terminate('a test');
  const terminatedAt = Date.now();
  await waitFor(async () => (await hasTurn()).leases.every(({ group }) => group !== groups[0]), 'room');
  // Half a minute more than is promised, for a busy machine.
  expect(Date.now() - terminatedAt).toBeLessThan(90_000);
  for (const run of runs.slice(1)) {
    const result = await run.result();
    expect(result).toMatchObject({ status: 'completed', lines: { succeeded: PARTS }, batches: PARTS });
    expect(idsOf(await readLines(result.output?.uri))).toEqual(idsOf(requests));
  }
  expect(most).toBeGreaterThan(ENQUEUED_TOKENS / 2);
  expect(most).toBeLessThanOrEqual(ENQUEUED_TOKENS);
  await waitFor(async () => (await state()).leases.length === 0, 'an empty budget');
});

/** Number of batches of each bulk batch. */
async function createdBy(groups: readonly string[]): Promise<number[]> {
  const owners = (await stage.api.batches()).map(({ metadata }) => jobOwnerOf(metadata?.[JOB_KEY] ?? '')?.workflowId);
  return groups.map((id) => owners.filter((owner) => owner?.startsWith(id)).length);
}
