/** An outage that outlasts the attempts of an activity, in real time. */
import { expect, test } from 'vitest';
import { waitFor } from '../../../dev/stage/wait-for.js';
import { endpoint } from '../../support/runs.js';
import { chatRequests } from '../../support/samples.js';
import { devServerStage } from '../../support/stage.js';

const stage = devServerStage({
  api: { batches: { validatingMs: 50, inProgressMs: 15_000, finalizingMs: 50, cancellingMs: 100, jitter: 0 } },
});

test('an outage that lasts → attention after some attempts, then the results', async () => {
  const run = await stage.jobs.startBatch({
    input: { requests: chatRequests(3) },
    endpoint,
    poll: { min: '150ms', max: '300ms' },
  });
  await waitFor(async () => (await run.progress()).status === 'in_progress', 'in_progress');
  const { jobId } = await run.progress();
  const outage = stage.api.faults.add({
    on: 'batches.retrieve',
    id: jobId ?? '',
    effect: { kind: 'reset' },
    times: Infinity,
  });
  await waitFor(async () => (await run.progress()).attention !== null, 'attention');
  expect((await run.progress()).attention).toMatchObject({
    operation: 'read',
    message: expect.stringContaining('no answer'),
  });
  outage.remove();
  expect((await run.result()).status).toBe('completed');
  expect((await run.progress()).attention).toBeNull();
});
