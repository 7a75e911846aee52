/**
 * Runs once before all test files: builds `dist/`, finds the Temporal binaries, and starts the one dev server that all
 * files share. Nothing here is needed by the pure unit tests, so a server that can't be had fails only the tests that
 * ask for it.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { findTimeSkippingServer, startDevServer, type DevServer } from '../../../src/temporal-server/index.js';

/** A value that global setup could provide, or the reason why it could not. */
export type Provided<T> = { value: T } | { problem: string };

declare module 'vitest' {
  export interface ProvidedContext {
    devServer: Provided<{ address: string; namespace: string; uiUrl: string | null; cliPath: string }>;
    timeSkippingServer: Provided<{ path: string }>;
  }
}

const buildScript = fileURLToPath(new URL('../../../scripts/build.mjs', import.meta.url));

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (!process.env.LLM_JOBS_TEST_SKIP_BUILD) {
    await promisify(execFile)(process.execPath, [buildScript, '--if-stale']).catch(
      (error: { stdout: string; stderr: string }) => {
        throw new Error(`The build failed:\n${error.stdout}${error.stderr}`);
      },
    );
  }

  const timeSkipping = await attempt(async () => ({ path: (await findTimeSkippingServer()).path }));
  let server: DevServer | undefined;
  const devServer = await attempt(async () => {
    // Never a server that the environment or a profile names: that may be somebody's real one.
    server = await startDevServer({ existing: false, ui: false });
    const { address, namespace, uiUrl, cliPath } = server;
    return { address, namespace, uiUrl, cliPath: cliPath ?? '' };
  });

  project.provide('timeSkippingServer', timeSkipping);
  project.provide('devServer', devServer);
  return async () => {
    await server?.stop();
  };
}

async function attempt<T>(action: () => Promise<T>): Promise<Provided<T>> {
  try {
    return { value: await action() };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}
