/** `npm run test:fuzz`: every property test of the project with more runs, and a count of all generated inputs at the end. */
import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.js';

const runs = process.env.LLM_JOBS_FUZZ_RUNS ?? '500';

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
// Merging would add to the list of the base.
config.test = { ...config.test, include: ['test/**/*.fuzz.test.ts'] };
export default config;
