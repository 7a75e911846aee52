/** The command `llm-jobs`, as installed with the package. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { LlmJobsClient } from '../../src/client.js';
import { LocalApi } from '../../src/testing/index.js';
import { chatRequests } from '../support/samples.js';
import { devServer } from '../support/temporal.js';
import { FIELD_OF_VARIABLE } from '../../src/config/environment.js';

const COMMAND = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** Starts the command with only the given environment variables. */
function start(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const { PATH } = process.env;
  const env = { PATH, TEMPORAL_CONFIG_FILE: join(tmpdir(), 'llm-jobs-no-profile.toml'), ...environment };
  const child = spawn(process.execPath, [COMMAND, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  return { child, ended };
}

describe('llm-jobs: arguments', () => {
  test.concurrent('--help → usage and the commands, exit code 0', async () => {
    const { code, stdout, stderr } = await start(['--help']).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: llm-jobs \[options\] \[command\]\n/);
    expect(stdout).toMatch(/^ {2}worker \[options\] {2,}Run a worker/m);
  });

  test.concurrent('--version → the version of the package', async () => {
    const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
    const { version } = JSON.parse(text) as { version: string };
    expect(await start(['--version']).ended).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  test.concurrent('worker --help → every environment variable that the worker reads', async () => {
    const { code, stdout } = await start(['worker', '--help']).ended;
    expect(code).toBe(0);
    const variables = Object.keys(FIELD_OF_VARIABLE);
    expect(variables.length).toBeGreaterThan(8);
    for (const name of [
      ...variables,
      'LLM_JOBS_CONFIG',
      'HTTPS_PROXY',
      'TEMPORAL_ADDRESS',
      'TEMPORAL_NAMESPACE',
      'LLM_JOBS_S3_PATH_STYLE',
    ]) {
      expect(stdout).toContain(name);
    }
  });

  test.concurrent.each([
    [['batches'], /^error: unknown command 'batches'\n/],
    [['batch', 'run'], /^error: missing required argument 'file'\n/],
    [['--live'], /^error: unknown option '--live'\n/],
    [['worker', '--queue', 'x'], /^error: unknown option '--queue'\n/],
    [['worker', 'now'], /^error: too many arguments for 'worker'/],
    [[], /^Usage: llm-jobs/],
  ])('%j → exit code 1, and on stderr the reason and how to get help', async (args, reason) => {
    const { code, stdout, stderr } = await start(args).ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(reason);
    expect(stderr).toContain('--help');
  });
});

describe('llm-jobs worker', () => {
  const temporal = devServer();

  test('no API key → one line that names the variable, exit code 1', async () => {
    const { code, stdout, stderr } = await start(['worker']).ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe('llm-jobs worker: OPENAI_API_KEY: not set: the worker needs an API key\n');
  });

  test('SIGTERM after a batch → one line when it is ready and one when it has stopped, exit code 0', async () => {
    await using api = await LocalApi.start({ batches: { validatingMs: 0, inProgressMs: 0, finalizingMs: 0 } });
    const folder = await mkdtemp(join(tmpdir(), 'llm-jobs-command-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const { child, ended } = start(['worker'], {
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: temporal.namespace,
      LLM_JOBS_TASK_QUEUE: temporal.taskQueue,
      LLM_JOBS_STORAGE: pathToFileURL(`${folder}/`).href,
      LLM_JOBS_POLL_MIN: '100ms',
      OPENAI_API_KEY: api.apiKey,
      OPENAI_BASE_URL: api.url,
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const jobs = new LlmJobsClient(temporal.client, { taskQueue: temporal.taskQueue });
    const run = await jobs.startBatch({ input: { requests: chatRequests(2) }, endpoint: '/v1/chat/completions' });
    expect((await run.result()).lines.succeeded).toBe(2);
    child.kill('SIGTERM');
    const { code, stdout } = await ended;
    const ready = /^llm-jobs worker ready: task queue \S+, namespace \S+ at \S+, storage file:\S+$/;
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(ready),
      'llm-jobs worker stopped: no job was cancelled',
      '',
    ]);
    expect(code).toBe(0);
  });
});
