/**
 * Real Temporal servers for test files.
 *
 * ```ts
 * const temporal = timeSkipping(); // or devServer(): at the top of a test file or of a describe block
 *
 * test('…', async () => {
 *   const result = await withWorker(temporal, { activities }, () => temporal.client.workflow.execute('runBatch', { … }));
 * });
 * ```
 */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import {
  DefaultLogger,
  Runtime,
  Worker,
  type LogLevel,
  type NativeConnection,
  type WorkerOptions,
} from '@temporalio/worker';
import { afterAll, beforeAll, inject } from 'vitest';
import type { Provided } from './setup/global.js';

/** The bundle that `npm run build` makes, which the ready-made worker runs. */
export const workflowBundlePath = fileURLToPath(new URL('../../dist/workflow-bundle.cjs', import.meta.url));

/** A server for one test file. The getters work inside tests and hooks, not at a file's top level. */
export interface TestTemporal {
  readonly env: TestWorkflowEnvironment;
  readonly address: string;
  readonly namespace: string;
  /** On a time-skipping server, waiting for a result with this client is what lets time skip. */
  readonly client: Client;
  /** For `Worker.create`. */
  readonly connection: NativeConnection;
  /** Unique to this call. */
  readonly taskQueue: string;
}

// Workers are quiet, unless LLM_JOBS_TEST_LOGS asks: `LLM_JOBS_TEST_LOGS=DEBUG npx vitest run …`.
const logLevel = (process.env.LLM_JOBS_TEST_LOGS?.toUpperCase() ?? 'ERROR') as LogLevel;
Runtime.install({
  logger: new DefaultLogger(logLevel),
  shutdownSignals: [],
  telemetryOptions: { logging: { filter: logLevel, console: {} } },
});

/** A time-skipping server of this file's own, stopped after its last test. Time is one per server: don't run tests concurrently on it. */
export function timeSkipping(): TestTemporal {
  return testTemporal(() => {
    const { path } = provided(inject('timeSkippingServer'));
    return TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path } } });
  });
}

/** The dev server that all test files share: a real Temporal server, in real time. */
export function devServer(): TestTemporal {
  return testTemporal(() => {
    const { address, namespace } = provided(inject('devServer'));
    return TestWorkflowEnvironment.createFromExistingServer({ address, namespace });
  });
}

/** A dev server of this file's own, whose histories are long enough after so many events: workflows continue as new that early. */
export function devServerOfShortHistories(events: number): TestTemporal {
  return testTemporal(() => {
    const { cliPath: path } = provided(inject('devServer'));
    const extraArgs = ['--dynamic-config-value', `limit.historyCount.suggestContinueAsNew=${events}`];
    return TestWorkflowEnvironment.createLocal({ server: { executable: { type: 'existing-path', path }, extraArgs } });
  });
}

/** Starts a worker on the built workflow bundle; answers with what stops it. For a whole file, where `withWorker` is for one test. */
export async function startWorker(temporal: TestTemporal, activities: object): Promise<() => Promise<void>> {
  const { connection, namespace, taskQueue } = temporal;
  const workflowBundle = { codePath: workflowBundlePath };
  const worker = await Worker.create({ connection, namespace, taskQueue, workflowBundle, activities });
  const running = worker.run();
  return () => {
    worker.shutdown();
    return running;
  };
}

/** Runs a worker on the built workflow bundle (or what `options` says) for as long as `body` takes. */
export async function withWorker<T>(
  temporal: TestTemporal,
  options: Partial<WorkerOptions>,
  body: (worker: Worker) => Promise<T>,
): Promise<T> {
  const worker = await Worker.create({
    connection: temporal.connection,
    namespace: temporal.namespace,
    taskQueue: temporal.taskQueue,
    ...(options.workflowsPath === undefined && { workflowBundle: { codePath: workflowBundlePath } }),
    ...options,
  });
  return worker.runUntil(() => body(worker));
}

function testTemporal(create: () => Promise<TestWorkflowEnvironment>): TestTemporal {
  const taskQueue = `test-${randomUUID()}`;
  let started: TestWorkflowEnvironment | undefined;
  beforeAll(async () => {
    started = await create();
  });
  const stop = async () => {
    await started?.teardown();
    started = undefined;
  };
  afterAll(stop);
  // A run that is broken off must not leave its server behind.
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => void stop().finally(() => process.exit(code)));
  }
  const env = (): TestWorkflowEnvironment => {
    if (started === undefined) throw new Error('The Temporal server is there inside tests and hooks only');
    return started;
  };
  return {
    get env() {
      return env();
    },
    get address() {
      return env().address;
    },
    get namespace() {
      return env().namespace ?? 'default';
    },
    get client() {
      return env().client;
    },
    get connection() {
      return env().nativeConnection;
    },
    taskQueue,
  };
}

function provided<T>(entry: Provided<T>): T {
  if ('problem' in entry) throw new Error(entry.problem);
  return entry.value;
}
