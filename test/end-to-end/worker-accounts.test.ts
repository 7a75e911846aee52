/** The ready-made worker by a TypeScript configuration with two accounts. */
import { expect, test } from 'vitest';
import { LocalApi } from '../../src/testing/index.js';
import { IMMEDIATE_BATCH } from '../../dev/stage/timing.js';
import { configFolder } from '../support/config-folder.js';
import { endpoint } from '../support/runs.js';
import { chatRequests } from '../support/samples.js';
import { workerProcessStage } from '../support/stage.js';
import { SECRET } from '../support/webhook-requests.js';

const stage = workerProcessStage();

test('two accounts, one key replaced between two runs → each run at its account, by the key of the moment', async () => {
  const other = await LocalApi.start({ apiKey: 'first-key-of-other', batches: IMMEDIATE_BATCH });
  await using config = await configFolder({ key: 'first-key-of-other' });
  const file = await config.write(
    'worker.config.ts',
    `import { defineConfig } from 'temporal-llm-jobs/config';
     export default defineConfig({
       accounts: {
         default: { preset: 'openai', webhookSecrets: { env: 'HOOKS' } },
         other: { preset: 'compatible', baseURL: '${other.url}', apiKey: { file: 'key' }, traits: { lists: false } },
       },
       webhooks: { port: 0 },
       poll: { min: '100ms', max: '200ms' },
     });`.replace("'temporal-llm-jobs/config'", JSON.stringify(new URL('../../dist/config.js', import.meta.url).href)),
  );
  try {
    const worker = await stage.startWorker({ LLM_JOBS_CONFIG: file, HOOKS: SECRET });
    expect(worker.stdout()).toMatch(/takes webhooks: http:\/\/127\.0\.0\.1:\d+\/webhooks\n/);
    expect(worker.stderr()).toContain('LLM_JOBS_POLL_MIN is not read: the file sets poll.min');
    const input = { requests: chatRequests(2) };
    const first = await stage.jobs.startBatch({ input, endpoint, provider: 'other' });
    expect((await first.result()).lines.succeeded).toBe(2);
    expect(stage.calls('batches.create')).toEqual([]);
    expect(other.requests.filter(({ operation }) => operation === 'batches.create')).toHaveLength(1);

    await config.write('key', 'a-key-that-other-does-not-know');
    const refused = await stage.jobs.startBatch({ input, endpoint, provider: 'other' });
    await expect(refused.result()).rejects.toThrow(/401/);
    await config.write('key', 'first-key-of-other');
    const last = await stage.jobs.startBatch({ input, endpoint, provider: 'other' });
    expect((await last.result()).lines.succeeded).toBe(2);
    expect(await worker.stop('SIGTERM')).toBe(0);
    expect(worker.stderr()).not.toMatch(/first-key-of-other|a-key-that-other/);
  } finally {
    await other.close();
  }
});
