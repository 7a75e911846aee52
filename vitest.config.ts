import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Property tests (`*.fuzz.test.ts`) are among them, with few runs; see vitest.fuzz.config.ts.
    include: ['test/**/*.test.ts'],
    // Time-outs of Temporal and of requests pass in real time in these: `npm run test:slow`.
    exclude: process.env.LLM_JOBS_SLOW ? [] : ['test/**/*.slow.test.ts'],
    globalSetup: ['test/support/setup/global.ts'],
    // One process per file: the Temporal SDK's native addon allows one runtime per process.
    pool: 'forks',
    // Two more than the processors of the smallest machine, since most tests wait for Temporal or for a timer.
    maxWorkers: 4,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: process.env.CI ? ['default', ['json', { outputFile: '.test-report.json' }]] : ['default'],
  },
});
