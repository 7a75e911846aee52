/**
 * What a create has learned in earlier attempts is kept in heartbeat details, which only a real server keeps: hence the
 * dev server.
 */
import { expect, test } from 'vitest';
import { endpoint } from '../../support/runs.js';
import { chatRequests } from '../../support/samples.js';
import { devServerStage } from '../../support/stage.js';

const stage = devServerStage({
  providers: { default: { metadata: false } },
  poll: { min: '100ms', max: '200ms' },
});

test.each([
  ['429', { kind: 'status', status: 429, retryAfterMs: 100 }],
  ['409', { kind: 'status', status: 409, headers: { 'retry-after-ms': '100' } }],
] as const)(
  'a provider without metadata: a create is refused with %s several times → retried, since no attempt can have made a batch',
  async (_, effect) => {
    const before = (await stage.api.batches()).length;
    stage.api.faults.add({ on: 'batches.create', effect, times: 3 });
    const run = await stage.jobs.startBatch({ input: { requests: chatRequests(2) }, endpoint });
    expect((await run.result()).status).toBe('completed');
    expect((await stage.api.batches()).length - before).toBe(1);
  },
);
