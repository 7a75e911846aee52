/** `npm run test:fuzz`: every property test of the project with more runs, and a count of all generated inputs at the end. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.js';

const runs = process.env.LLM_JOBS_FUZZ_RUNS ?? '500';
const properties = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => join('test', name))
  .filter((path) => readFileSync(path, 'utf8').includes("from 'fast-check'"));

const config = mergeConfig(
  base,
  defineConfig({
    test: {
      env: { LLM_JOBS_FUZZ_RUNS: runs },
      globalSetup: ['test/support/setup/sum-inputs.ts'],
      setupFiles: ['test/support/setup/count-inputs.ts'],
      testTimeout: 60_000 + Number(runs) * 100,
    },
  }),
);
config.test = { ...config.test, include: properties };
export default config;
