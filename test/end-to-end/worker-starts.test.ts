import { describe, expect, test } from 'vitest';
import { LocalApi } from '../../src/testing/index.js';
import { chatRequests } from '../support/samples.js';
import { workerProcessStage } from '../support/stage.js';
import { endpoint } from '../support/runs.js';
import { waitFor } from '../../dev/stage/wait-for.js';
import { IMMEDIATE_BATCH } from '../../dev/stage/timing.js';
import { spawnWorker } from '../../dev/stage/worker-process.js';

describe('an API that is down', () => {
  const stage = workerProcessStage();

  test('at the start → retried, visible as ApiUnavailable, and the batch completes once it is up', async () => {
    const down = await LocalApi.start({ apiKey: stage.api.apiKey });
    const { url } = down;
    await down.close();
    await stage.startWorker({ OPENAI_BASE_URL: url });
    const run = await stage.jobs.startBatch({ input: { requests: chatRequests(2) }, endpoint });
    await waitFor(async () => {
      const { raw } = await run.handle.describe();
      const [pending] = raw.pendingActivities ?? [];
      return pending?.lastFailure?.applicationFailureInfo?.type === 'ApiUnavailable' && (pending.attempt ?? 0) >= 2;
    }, 'ApiUnavailable');
    expect((await run.progress()).status).toBe('not_created');

    const up = await LocalApi.start({
      apiKey: stage.api.apiKey,
      port: Number(new URL(url).port),
      batches: IMMEDIATE_BATCH,
    });
    try {
      expect((await run.result()).lines.succeeded).toBe(2);
    } finally {
      await up.close();
    }
  });
});

describe('a worker that cannot start', () => {
  const fine = { OPENAI_API_KEY: 'sk-local', TEMPORAL_ADDRESS: '127.0.0.1:1' };

  test.concurrent.each([
    ['no key', { TEMPORAL_ADDRESS: '127.0.0.1:1' }, /OPENAI_API_KEY/],
    ['a base URL that is none', { ...fine, OPENAI_BASE_URL: 'openai' }, /OPENAI_BASE_URL/],
    ['a duration that is none', { ...fine, LLM_JOBS_POLL_MIN: 'often' }, /LLM_JOBS_POLL_MIN/],
    ['a Temporal server that is not there', fine, /TEMPORAL_ADDRESS.*127\.0\.0\.1:1\b/],
  ])('%s → one line that names the variable, exit code 1', async (_, environment, expected) => {
    const worker = spawnWorker(environment);
    expect(await worker.ended).toBe(1);
    expect(worker.stdout()).toBe('');
    expect(worker.stderr()).toMatch(/^llm-jobs worker: .+\n$/);
    expect(worker.stderr()).toMatch(expected);
  });
});
