/** The entry point of configuration files, as built in dist/. */
import { expect, test, vi } from 'vitest';
import { consumerProject } from './consumer-project.js';
import { loadedModules, packagesOf } from './loaded-packages.js';

test('config: imported → what a file needs, and neither the worker nor what only some configurations use', async () => {
  const packages = packagesOf(await loadedModules('temporal-llm-jobs/config'));
  expect(packages).toEqual(expect.arrayContaining(['openai', 'zod']));
  expect(packages.filter((name) => /^(jiti|undici|@temporalio\/.*|@aws-sdk\/.*)$/.test(name))).toEqual([]);
});

test('config: a TypeScript file in a project → read by its own package, for a worker of its own', async () => {
  const file = `
    import { defineConfig } from 'temporal-llm-jobs/config';
    const storage: string = 'results/';
    export default defineConfig({ accounts: { default: { preset: 'groq' } }, storage });`;
  const main = `
    import { loadConfig } from 'temporal-llm-jobs/config';
    const { providers, storage, poll } = await loadConfig();
    console.log(JSON.stringify([providers.default.client.baseURL, storage.roots[0].endsWith('/results/'), poll.min]));`;
  const project = await consumerProject({ 'llm-jobs.config.ts': file, 'main.mjs': main });
  try {
    vi.stubEnv('GROQ_API_KEY', 'key-of-groq');
    const out = await project.node('main.mjs');
    expect(JSON.parse(out)).toEqual(['https://api.groq.com/openai/v1', true, '5000ms']);
  } finally {
    vi.unstubAllEnvs();
    await project.remove();
  }
});
