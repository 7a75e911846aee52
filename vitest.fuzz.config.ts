/** `npm run test:fuzz`: only the property tests, with more runs. Prints how many inputs they were given. */
import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.js';

const runs = process.env.LLM_JOBS_FUZZ_RUNS ?? '500';

const config = mergeConfig(
  base,
  defineConfig({
    test: {
      globalSetup: ['test/support/setup/sum-inputs.ts'],
      setupFiles: ['test/support/setup/count-inputs.ts'],
      env: { LLM_JOBS_FUZZ_RUNS: runs },
      testTimeout: 300_000 + Number(runs) * 100,
    },
  }),
);
// Lists are concatenated by `mergeConfig`; this one replaces that of the base.
config.test = { ...config.test, include: ['test/**/*.fuzz.test.ts'] };
export default config;
