import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { inject } from 'vitest';
import { cleanEnvironment } from '../../dev/stage/worker-process.js';
import type { TestTemporal } from './temporal.js';

/** Runs the `temporal` CLI and returns the JSON that it printed; null for no output. */
export async function temporalCli(temporal: TestTemporal, ...args: string[]): Promise<unknown> {
  const server = inject('devServer');
  if ('problem' in server) throw new Error(server.problem);
  const target = ['--address', temporal.address, '--namespace', temporal.namespace, '--output', 'json'];
  const { stdout } = await promisify(execFile)(server.value.cliPath, [...args, ...target], {
    env: cleanEnvironment(),
  });
  return stdout.trim() === '' ? null : JSON.parse(stdout);
}
