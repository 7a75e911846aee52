import { describe, expect, test } from 'vitest';
import { LocalApi } from '../../src/testing/index.js';
import { chatRequests } from '../support/samples.js';
import { endpoint, endToEnd, spawnWorker, until } from './support.js';

const STOPPED = 'llm-jobs worker stopped: no job was cancelled';

describe('a worker that is stopped', () => {
  const e = endToEnd();
  const input = { requests: chatRequests(10) };

  test('while a batch is in progress → exits with 0, cancels nothing, and the next worker takes over', async () => {
    const first = await e.startWorker();
    const run = await e.jobs.startBatch({ input, endpoint });
    await until(async () => (await run.progress()).status === 'in_progress', 'in_progress');
    expect(await first.stop('SIGTERM')).toBe(0);
    expect(first.stdout()).toMatch(/^llm-jobs worker ready: task queue test-.*\n/);
    expect(first.stdout().trimEnd().split('\n').at(-1)).toBe(STOPPED);

    const second = await e.startWorker();
    expect((await run.result()).status).toBe('completed');
    expect(e.calls('batches.cancel')).toEqual([]);
    expect(e.calls('batches.create')).toHaveLength(1);
    expect(await second.stop('SIGTERM')).toBe(0);
  });

  test('in the middle of an upload → lets it finish before it goes', async () => {
    const first = await e.startWorker();
    const fault = e.api.faults.add({ on: 'files.create', effect: { kind: 'delay', ms: 1_500 } });
    const before = e.calls('files.create').length;
    const run = await e.jobs.startBatch({ input, endpoint });
    await until(() => fault.hits === 1, 'the upload');
    expect(await first.stop('SIGTERM')).toBe(0);
    const second = await e.startWorker();
    expect((await run.result()).lines.succeeded).toBe(10);
    expect(e.calls('files.create')).toHaveLength(before + 1);
    await second.stop('SIGTERM');
  });

  test('in the middle of an upload that outlasts the time to drain → the next worker uploads it', async () => {
    const first = await e.startWorker({ LLM_JOBS_DRAIN: '300ms' });
    const fault = e.api.faults.add({ on: 'files.create', effect: 'timeout' });
    const run = await e.jobs.startBatch({ input, endpoint });
    await until(() => fault.hits === 1, 'the upload');
    expect(await first.stop('SIGTERM')).toBe(0);
    const { raw } = await run.handle.describe();
    expect(raw.pendingActivities?.[0]?.lastFailure?.applicationFailureInfo?.type).toBe('WorkerStopped');
    const second = await e.startWorker();
    expect((await run.result()).status).toBe('completed');
    await second.stop('SIGTERM');
  });
});

describe('an API that is down', () => {
  const e = endToEnd();

  test('at the start → retried, visible as ApiUnavailable, and the batch completes once it is up', async () => {
    const down = await LocalApi.start({ apiKey: e.api.apiKey });
    const { url } = down;
    await down.close();
    await e.startWorker({ OPENAI_BASE_URL: url });
    const run = await e.jobs.startBatch({ input: { requests: chatRequests(2) }, endpoint });
    await until(async () => {
      const { raw } = await run.handle.describe();
      const [pending] = raw.pendingActivities ?? [];
      return pending?.lastFailure?.applicationFailureInfo?.type === 'ApiUnavailable' && (pending.attempt ?? 0) >= 2;
    }, 'ApiUnavailable');
    expect((await run.progress()).status).toBe('not_created');

    const instant = { validatingMs: 0, inProgressMs: 0, finalizingMs: 0 };
    const up = await LocalApi.start({ apiKey: e.api.apiKey, port: Number(new URL(url).port), batches: instant });
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
