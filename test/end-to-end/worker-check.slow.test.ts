/** What `llm-jobs worker --check` waits for. */
import { afterEach, expect, test, vi } from 'vitest';
import { LocalApi } from '../../src/testing/index.js';
import { llmJobs } from '../support/commands.js';
import { configFolder } from '../support/config-folder.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

test('worker --check: no server of Temporal → told after five seconds, with the accounts, exit code 3', async () => {
  vi.stubEnv('TEMPORAL_ADDRESS', '127.0.0.1:1');
  const api = await LocalApi.start();
  try {
    await using config = await configFolder({ key: api.apiKey });
    const account = { preset: 'compatible', baseURL: api.url, apiKey: { file: 'key' } };
    const file = await config.write('c.json', { accounts: { default: account }, storage: 'out' });
    const { code, out } = await llmJobs('worker', '--check', '--config', file);
    expect(code).toBe(3);
    expect(out).toContainEqual(
      expect.stringMatching(/^temporal .* does not answer within 5 s \(see TEMPORAL_ADDRESS\)$/),
    );
    expect(out.at(-1)).toMatch(/^account .* works$/);
  } finally {
    await api.close();
  }
});
