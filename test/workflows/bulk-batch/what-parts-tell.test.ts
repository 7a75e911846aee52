/** What a bulk batch tells of its parts: rounds with their reasons, line counts, anomalies and warnings. */
import { afterEach, expect, test } from 'vitest';
import { waitFor } from '../../../dev/stage/wait-for.js';
import { devServerStage } from '../../support/stage.js';
import { chatRequests } from '../../support/samples.js';

const stage = devServerStage();
afterEach(() => stage.api.scenarios.clear());

const start = async (count: number, split: number) =>
  stage.jobs.startBulkBatch({ input: { uri: await stage.write(chatRequests(count)) }, split: { requests: split } });

test('lines fail in the first round → the rounds are told, and each request is counted once', async () => {
  stage.api.scenarios.forNextBatch('someLinesFail');
  const run = await start(12, 12);
  const result = await run.result();
  expect(result).toMatchObject({ rounds: 2, lines: { succeeded: 12 } });
  expect(result.sent).toEqual([
    { round: 1, requests: 12, reasons: { first: 12 } },
    { round: 2, requests: 4, reasons: { failed: 4 } },
  ]);
  const progress = await run.progress();
  expect(progress.lines).toEqual({ succeeded: 12, failed: 0, unfinished: 0, missing: 0 });
  expect(progress.sent).toEqual(result.sent);
});

test('parts with the same anomalies → summed, and each warning once with the number of parts', async () => {
  stage.api.scenarios.forBatches(() => true, { lines: () => ({ kind: 'duplicate' }) });
  const run = await start(6, 2);
  const result = await run.result();
  expect(result).toMatchObject({ rounds: 1, anomalies: { duplicates: 6, unknownIds: 0, unreadable: 0 } });
  const progress = await run.progress();
  expect(progress.anomalies).toEqual(result.anomalies);
  expect(progress.warnings).toEqual(result.warnings);
  expect(result.warnings.length).toBeGreaterThan(0);
  for (const warning of result.warnings) expect(warning).toMatch(/^Part \d of round 1: /);
});

test('all answers of a batch are under foreign ids → nothing is bought again, and a warning says so', async () => {
  stage.api.scenarios.forNextBatch({ lines: () => ({ kind: 'unknown-id' }) });
  const before = (await stage.api.batches()).length;
  const run = await start(6, 3);
  const result = await run.result();
  expect(result).toMatchObject({
    rounds: 1,
    batches: 2,
    lines: { succeeded: 3, missing: 3 },
    anomalies: { unknownIds: 3 },
  });
  expect(result.warnings.join()).toMatch(/custom_ids that are not in the input\. Nothing is sent again/);
  expect((await stage.api.batches()).length - before).toBe(2);
});

test('a part runs → the page of the bulk batch names its batch and its run', async () => {
  stage.api.scenarios.forNextBatch({ stuckIn: ['in_progress'] });
  const run = await start(2, 2);
  const page = async () =>
    (await run.handle.query<{ currentDetails: string }>('__temporal_workflow_metadata')).currentDetails;
  await waitFor(async () => (await page()).includes('batch_'), 'the id of the batch');
  const { jobId } = await stage.jobs.batch(`${run.workflowId}/r1-p1`).progress();
  expect(await page()).toContain(`- \`r1-p1\`: batch \`${jobId}\`, run \`${run.workflowId}/r1-p1\``);
  await run.cancel();
  await run.result();
  expect(await page()).toMatch(/^### Bulk batch: `cancelled`\n/);
});
