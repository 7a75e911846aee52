import { expect, test } from 'vitest';
import { timeSkippingStage } from '../../support/stage.js';
import { BATCH_TIMING, HOUR, MINUTE } from '../../../dev/stage/timing.js';
import { chatRequests } from '../../support/samples.js';

const stage = timeSkippingStage({
  api: { batches: { ...BATCH_TIMING, inProgressMs: MINUTE }, limits: { batchesPerHour: 2 } },
  providers: { default: { batchLimits: { createsPerHour: 2 } } },
});

test('five parts at two creates per hour → at most two in any hour, none refused', async () => {
  const run = await stage.jobs.startBulkBatch({
    input: { uri: await stage.write(chatRequests(5)) },
    split: { requests: 1 },
    maxParallel: 1,
    poll: { min: '1m', max: '1m' },
  });
  const result = await run.result();
  expect(result).toMatchObject({ batches: 5, rounds: 1, lines: { succeeded: 5 } });
  const creates = stage.api.requests.filter(({ operation }) => operation === 'batches.create');
  expect(creates.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  const times = creates.map(({ at }) => at);
  for (const [index, at] of times.entries()) {
    expect(times.slice(0, index + 1).filter((other) => other > at - HOUR).length).toBeLessThanOrEqual(2);
  }
});
