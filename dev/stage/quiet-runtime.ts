import { DefaultLogger, Runtime, type LogLevel } from '@temporalio/worker';

let isInstalled = false;

/**
 * Workers of this process log errors only, unless `LLM_JOBS_TEST_LOGS` names another level, as in
 * `LLM_JOBS_TEST_LOGS=DEBUG npx vitest run …`. To be called before the first connection; signals are left to the
 * process.
 */
export function quietRuntime(): void {
  if (isInstalled) return;
  isInstalled = true;
  const level = (process.env.LLM_JOBS_TEST_LOGS?.toUpperCase() ?? 'ERROR') as LogLevel;
  Runtime.install({
    logger: new DefaultLogger(level),
    shutdownSignals: [],
    telemetryOptions: { logging: { filter: level, console: {} } },
  });
}
