import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

/** Time-outs of Temporal and of requests pass in real time in these: `npm run test:slow`. */
const SLOW = process.env.LLM_JOBS_SLOW ? [] : ['test/**/*.slow.test.ts'];

type ProjectOptions = TestProjectInlineConfiguration['test'];

/**
 * Two sets of test files. A process runs several files one after the other, and they share the modules that they import,
 * which saves a third of the processor time.
 */
export function projectsOf(files: string, more: ProjectOptions = {}): TestProjectInlineConfiguration[] {
  // Time limits only bound what hangs: a busy machine may take ten times as long as an idle one.
  const limits = { testTimeout: 300_000, hookTimeout: 300_000 };
  // Processes, not threads: the Temporal SDK's native addon allows one runtime per process.
  const options = { pool: 'forks', isolate: false, ...limits, ...more } as const;
  const unit = { name: 'unit', include: [`test/unit/**/${files}`] };
  const servers = { name: 'servers', include: [`test/**/${files}`], exclude: ['test/unit/**', ...SLOW] };
  return [unit, servers].map((project) => ({ test: { ...options, ...project } }));
}

export default defineConfig({
  test: {
    // Property tests (`*.fuzz.test.ts`) are among them, with few runs; see vitest.fuzz.config.ts.
    projects: projectsOf('*.test.ts'),
    globalSetup: ['test/support/setup/global.ts'],
    // Three for each processor of the smallest machine, since most tests wait for Temporal or for a timer.
    maxWorkers: 6,
    reporters: process.env.CI ? ['default', ['json', { outputFile: '.test-report.json' }]] : ['default'],
  },
});
