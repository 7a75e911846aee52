import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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

describe('a worker whose API cannot be used', () => {
  const stage = workerProcessStage();

  test.each<[what: string, environment: Record<string, string>, expected: RegExp]>([
    ['a key that is wrong', { OPENAI_API_KEY: 'sk-wrong-0123456789' }, /refuses the key: 401/],
    ['an API that is not there', { OPENAI_BASE_URL: 'http://127.0.0.1:1/v1' }, /does not answer: Connection error/],
  ])('%s → a warning, without the key, and the worker runs', async (_, environment, expected) => {
    const worker = await stage.startWorker(environment);
    await waitFor(() => expected.test(worker.stderr()), 'the warning');
    expect(worker.stderr()).not.toContain('sk-wrong');
    expect(await worker.stop('SIGTERM')).toBe(0);
  });

  test('a key that is right → no warning', async () => {
    const worker = await stage.startWorker();
    await waitFor(() => stage.calls('batches.list').length > 0, 'the request');
    expect(await worker.stop('SIGTERM')).toBe(0);
    expect(worker.stderr()).not.toContain('"WARN"');
  });
});

describe('a worker whose namespace does not exist', () => {
  const stage = workerProcessStage();

  test('unknown → one line that names the variable, exit code 1', async () => {
    const worker = spawnWorker({
      OPENAI_API_KEY: 'sk-local',
      TEMPORAL_ADDRESS: stage.temporal.address,
      TEMPORAL_NAMESPACE: 'nowhere',
      LLM_JOBS_STORAGE: tmpdir(),
    });
    expect(await worker.ended).toBe(1);
    expect(worker.stderr()).toMatch(
      /^llm-jobs worker: the namespace "nowhere" does not exist .*TEMPORAL_NAMESPACE\)\n$/,
    );
  });
});

describe('a worker whose storage root cannot be used', () => {
  let base: string;
  beforeAll(async () => {
    base = await mkdtemp(join(tmpdir(), 'llm-jobs-roots-'));
    await writeFile(join(base, 'file'), 'x');
    await mkdir(join(base, 'folder'));
  });
  afterAll(() => rm(base, { recursive: true, force: true }));

  test.concurrent.each([
    ['a file', 'file', /file: it is not a folder/],
    ['below a file', 'file/root', /a part of its path is a file/],
    ['on a disk that is not mounted', 'mount/data', /it cannot be created in .*; is a disk not mounted\?/],
    ['the second of two', 'folder,file', /file: it is not a folder/],
  ])('%s → one line, exit code 1, before Temporal is asked', async (_, roots, expected) => {
    const uris = roots.split(',').map((root) => pathToFileURL(join(base, root)).href);
    const worker = spawnWorker({
      OPENAI_API_KEY: 'sk-local',
      TEMPORAL_ADDRESS: '127.0.0.1:1',
      LLM_JOBS_STORAGE: uris.join(','),
    });
    expect(await worker.ended).toBe(1);
    expect(worker.stdout()).toBe('');
    expect(worker.stderr()).toMatch(/^llm-jobs worker: .+\n$/);
    expect(worker.stderr()).toMatch(expected);
  });

  test.runIf(process.platform === 'linux')('where nobody may write → one line, exit code 1', async () => {
    const worker = spawnWorker({ OPENAI_API_KEY: 'sk-local', LLM_JOBS_STORAGE: '/proc/self' });
    expect(await worker.ended).toBe(1);
    expect(worker.stderr()).toMatch(/^llm-jobs worker: cannot use the storage root .+\n$/);
  });

  test('that can be used → nothing stays behind in it', async () => {
    const worker = spawnWorker({
      OPENAI_API_KEY: 'sk-local',
      TEMPORAL_ADDRESS: '127.0.0.1:1',
      LLM_JOBS_STORAGE: join(base, 'folder'),
    });
    expect(await worker.ended).toBe(1);
    expect(worker.stderr()).toContain('TEMPORAL_ADDRESS');
    expect(await readdir(join(base, 'folder'))).toEqual([]);
  });
});

describe('a worker that cannot start', () => {
  const fine = { OPENAI_API_KEY: 'sk-local', TEMPORAL_ADDRESS: '127.0.0.1:1' };

  test('a port for metrics that another process has → one line that names the variable, exit code 1', async () => {
    await using other = await LocalApi.start();
    const worker = spawnWorker({ ...fine, LLM_JOBS_METRICS_PORT: new URL(other.url).port });
    expect(await worker.ended).toBe(1);
    expect(worker.stderr()).toMatch(/^llm-jobs worker: cannot serve metrics .*LLM_JOBS_METRICS_PORT.*in use.*\n$/);
  });

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
