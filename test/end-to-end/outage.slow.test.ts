/** Temporal is away for longer than its client tries again by itself, which is some 20 s. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { LlmJobsClient } from '../../src/client.js';
import { cuttingProxy } from '../support/cutting-proxy.js';
import { endpoint } from '../support/runs.js';
import { chatRequests } from '../support/samples.js';
import { devServerStage } from '../support/stage.js';

const stage = devServerStage();

afterEach(() => {
  vi.unstubAllEnvs();
});

test('Temporal is away for 40 s while a result is waited for → the result, soon after it is back', async () => {
  const { address, namespace, taskQueue } = stage.temporal;
  const proxy = await cuttingProxy(`http://${address}`, () => Infinity);
  vi.stubEnv('TEMPORAL_ADDRESS', new URL(proxy.url).host);
  vi.stubEnv('TEMPORAL_NAMESPACE', namespace);
  const jobs = await LlmJobsClient.connect({ taskQueue });
  try {
    stage.api.scenarios.forNextBatch({ timing: { validatingMs: 50, inProgressMs: 5_000, jitter: 0 } });
    const run = await jobs.startBatch({ input: { requests: chatRequests(3) }, endpoint });
    const result = run.result();
    const progress = sleep(1_000).then(() => run.progress());
    proxy.setDown(true);
    await expect(run.result({ maxOutage: '1s' })).rejects.toThrow(/Unavailable|UNAVAILABLE|Failed/i);
    await sleep(20_000);
    proxy.setDown(false);
    const backAt = Date.now();
    expect((await result).status).toBe('completed');
    expect((await progress).jobId).toMatch(/^batch_/);
    expect(Date.now() - backAt).toBeLessThan(30_000);
  } finally {
    await jobs.close();
    await proxy.close();
  }
});
