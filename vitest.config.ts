import { defineConfig } from 'vitest/config';

/** Time-outs of Temporal and of requests pass in real time in these: `npm run test:slow`. */
const SLOW = process.env.LLM_JOBS_SLOW ? [] : ['test/**/*.slow.test.ts'];

export default defineConfig({
  test: {
    // Property tests (`*.fuzz.test.ts`) are among them, with few runs; see vitest.fuzz.config.ts.
    include: ['test/**/*.test.ts'],
    exclude: SLOW,
    // Time limits only bound what hangs: a busy machine may take ten times as long as an idle one.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    globalSetup: ['test/support/setup/global.ts'],
    // Processes, not threads: the Temporal SDK's native addon allows one runtime per process.
    pool: 'forks',
    // Fewer collections of garbage, which take a twentieth of the processor time.
    execArgv: ['--max-semi-space-size=64'],
    // A process runs several files one after the other. They share the modules that they import, which takes seconds.
    isolate: false,
    // Two for each processor of the smallest machine, since many tests wait for Temporal or for a timer.
    maxWorkers: 4,
    reporters: process.env.CI ? ['default', ['json', { outputFile: '.test-report.json' }]] : ['default'],
  },
});
