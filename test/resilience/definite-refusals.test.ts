/** What earlier attempts are known by travels in heartbeat details, which only a real server keeps. So this runs on the dev server. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import OpenAI from 'openai';
import { expect, test } from 'vitest';
import { createActivities } from '../../src/activities/index.js';
import { LlmJobsClient } from '../../src/client.js';
import { LocalApi, scaledClock } from '../../src/testing/index.js';
import { devServer, withWorker } from '../support/temporal.js';
import { chatRequests } from '../support/samples.js';

const temporal = devServer();

test.each([
  ['429', { kind: 'status', status: 429, retryAfterMs: 100 }],
  ['409', { kind: 'status', status: 409, headers: { 'retry-after-ms': '100' } }],
] as const)(
  'a provider without metadata: a create is refused with %s and then again → tried on, since none of them can have made a batch',
  async (_, effect) => {
    const folder = await mkdtemp(join(tmpdir(), 'llm-jobs-refusals-'));
    await using api = await LocalApi.start({ clock: scaledClock(3_600) });
    api.faults.add({ on: 'batches.create', effect, times: 3 });
    const activities = createActivities({
      providers: {
        default: { client: new OpenAI({ apiKey: api.apiKey, baseURL: api.url, logLevel: 'off' }), metadata: false },
      },
      storage: [pathToFileURL(`${folder}/`).href],
      poll: { min: '100ms', max: '200ms' },
    });
    const result = await withWorker(temporal, { activities }, async () => {
      const jobs = new LlmJobsClient(temporal.client, { taskQueue: temporal.taskQueue });
      const run = await jobs.startBatch({ input: { requests: chatRequests(2) }, endpoint: '/v1/chat/completions' });
      return run.result();
    });
    expect(result.status).toBe('completed');
    expect(await api.batches()).toHaveLength(1);
    await rm(folder, { recursive: true, force: true });
  },
);
