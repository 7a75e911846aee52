import type { TestWorkflowEnvironment, TimeSkippingTestWorkflowEnvironmentOptions } from '@temporalio/testing';
import { findTimeSkippingServer, type FindOptions } from './find.js';

export interface TimeSkippingServerOptions extends FindOptions {
  /** @default a free port */
  port?: number;
  /** Options of the environment's client. */
  client?: TimeSkippingTestWorkflowEnvironmentOptions['client'];
}

/**
 * Starts a server that skips time, for tests of workflows that wait for hours. End it with `teardown()`.
 * Needs the optional peer dependency `@temporalio/testing`.
 *
 * @throws {TemporalServerNotFound} naming all that was tried
 */
export async function startTimeSkippingServer(
  options: TimeSkippingServerOptions = {},
): Promise<TestWorkflowEnvironment> {
  const { TestWorkflowEnvironment: environment } = await import('@temporalio/testing');
  const { path } = await findTimeSkippingServer(options);
  return environment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path }, port: options.port },
    client: options.client,
  });
}
