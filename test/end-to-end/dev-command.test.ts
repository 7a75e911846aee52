/** `llm-jobs dev`, as installed with the package: everything that a first try needs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { llmJobs } from '../support/commands.js';

const COMMAND = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

interface Ready {
  readonly uiUrl: string;
  readonly sample: string;
  readonly variables: Readonly<Record<string, string>>;
}

test('dev → a batch of its sample runs to the end by other commands; Ctrl-C stops all of it', async () => {
  const server = inject('devServer');
  if ('problem' in server) throw new Error(server.problem);
  const folder = await mkdtemp(join(tmpdir(), 'llm-jobs-dev-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  // The configuration of the folder names an account that costs money.
  const real = { preset: 'compatible', baseURL: 'http://127.0.0.1:1/v1', apiKey: null };
  const config = { accounts: { default: real }, taskQueue: 'of-the-real-workers', storage: '/dev/null/' };
  await writeFile(join(folder, 'llm-jobs.config.json'), JSON.stringify(config));
  const env = { PATH: `${dirname(server.value.cliPath)}:${process.env.PATH}`, OPENAI_API_KEY: 'of-a-real-account' };
  const child = spawn(process.execPath, [COMMAND, 'dev', '--json', '--speed', '10'], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'close');
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { uiUrl, sample, variables } = JSON.parse(line) as Ready;
  expect(variables.OPENAI_API_KEY).not.toBe(env.OPENAI_API_KEY);
  expect((await fetch(uiUrl)).status).toBe(200);

  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  const ran = await llmJobs('batch', 'run', join(folder, sample), '--json');
  expect(ran.code).toBe(0);
  expect(JSON.parse(ran.out.join('\n'))).toMatchObject({ status: 'completed', requestCounts: { total: 24 } });

  const listed = await llmJobs('list', '--all', '--json');
  expect(JSON.parse(listed.out.join('\n'))).toMatchObject([
    { state: 'completed', jobId: expect.stringMatching(/^batch_/), model: 'gpt-5.4-mini' },
  ]);

  child.kill('SIGINT');
  expect(await ended).toEqual([0, null]);
  await expect(fetch(uiUrl)).rejects.toThrow('fetch failed');
});
