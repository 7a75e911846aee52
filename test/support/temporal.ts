/** Real Temporal servers for test files. Most take them with a stage (see `stage.ts`). */
import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { TestWorkflowEnvironment, type DevServerConfig } from '@temporalio/testing';
import type { NativeConnection } from '@temporalio/worker';
import { afterAll, beforeAll, inject } from 'vitest';
import { quietRuntime } from '../../dev/stage/quiet-runtime.js';
import { freePorts } from '../../src/temporal-server/index.js';
import type { Provided } from './setup/global.js';

quietRuntime();

/** A server for one test file. The getters work inside tests and hooks, not at a file's top level. */
export interface TestTemporal {
  readonly env: TestWorkflowEnvironment;
  readonly address: string;
  readonly namespace: string;
  /** On a time-skipping server, waiting for a result with this client is what lets time skip. */
  readonly client: Client;
  /** For `Worker.create`. */
  readonly connection: NativeConnection;
  /** Unique to this call, but for a server of its own. */
  readonly taskQueue: string;
}

/**
 * A separate time-skipping server, stopped after the file's last test. It has one time for all: don't run tests
 * concurrently.
 */
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

/** A separate dev server that suggests continue-as-new after this many events of a history. */
export function devServerOfShortHistories(events: number): TestTemporal {
  return devServerOfItsOwn(`limit.historyCount.suggestContinueAsNew=${events}`);
}

/** A separate dev server that can pause workflows. */
export function devServerThatPauses(): TestTemporal {
  return devServerOfItsOwn('frontend.WorkflowPauseEnabled=true');
}

function devServerOfItsOwn(dynamicConfig: string): TestTemporal {
  return testTemporal(() => createDevServer({ extraArgs: ['--dynamic-config-value', dynamicConfig] }));
}

/** A separate dev server with the web UI, and the address of that. */
export function devServerWithUi(): { readonly temporal: TestTemporal; readonly uiUrl: () => string } {
  const ip = '127.0.0.1';
  let uiUrl = '';
  const temporal = testTemporal(async () => {
    const [uiPort = 0] = await freePorts(1, ip);
    uiUrl = `http://${ip}:${uiPort}`;
    return createDevServer({ ip, uiPort, log: { format: 'pretty', level: 'error' } });
  }, 'llm-jobs');
  return { temporal, uiUrl: () => uiUrl };
}

function createDevServer(server: Omit<DevServerConfig, 'type'>): Promise<TestWorkflowEnvironment> {
  const { cliPath: path } = provided(inject('devServer'));
  return TestWorkflowEnvironment.createLocal({ server: { executable: { type: 'existing-path', path }, ...server } });
}

function testTemporal(
  create: () => Promise<TestWorkflowEnvironment>,
  taskQueue = `test-${randomUUID()}`,
): TestTemporal {
  let started: TestWorkflowEnvironment | undefined;
  beforeAll(async () => {
    started = await create();
  });
  const stop = async () => {
    await started?.teardown();
    started = undefined;
  };
  // An interrupted run must not leave its server behind.
  const onInterrupt = () => void stop().finally(() => process.exit(130));
  const onTermination = () => void stop().finally(() => process.exit(143));
  process.once('SIGINT', onInterrupt).once('SIGTERM', onTermination);
  afterAll(async () => {
    process.off('SIGINT', onInterrupt).off('SIGTERM', onTermination);
    await stop();
  });
  const env = (): TestWorkflowEnvironment => {
    if (started === undefined) throw new Error('The Temporal server exists inside tests and hooks only');
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
