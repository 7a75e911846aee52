import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/setup/global.ts'],
    // A process for each file: the Temporal SDK's native addon keeps one runtime per process.
    pool: 'forks',
    // One more than the smallest machine has processors: most tests wait, for Temporal and for the clock.
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: process.env.CI ? ['default', ['json', { outputFile: '.test-report.json' }]] : ['default'],
  },
});
