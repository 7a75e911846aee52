/** What docs/tutorial.md says is typed here, on the shared dev server. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { LlmJobsClient } from '../../src/client.js';
import { waitFor } from '../../dev/stage/wait-for.js';
import { cleanEnvironment } from '../../dev/stage/worker-process.js';
import { freePorts } from '../../src/temporal-server/index.js';
import { consumerProject } from '../package/consumer-project.js';
import { readPage } from '../support/docs/pages.js';
import { commandsIn } from '../support/docs/shell.js';
import { devServer } from '../support/temporal.js';

const temporal = devServer();
const page = readPage('docs/tutorial.md');

/** The text of the one block that contains this. */
function block(content: string): string {
  const found = page.blocks.filter(({ text }) => text.includes(content));
  if (found[0] === undefined) throw new Error(`The tutorial has no block with ${content}`);
  return found[0].text;
}

/** The arguments of a command of the tutorial, after `npx llm-jobs`. */
function argumentsOf(command: string): string[] {
  const [found] = commandsIn(block(command));
  const words = found?.words ?? [];
  return words.slice(words[0] === 'npx' ? 2 : 1);
}

interface Terminal {
  readonly output: () => string;
  /** Presses Ctrl-C and waits for the end. */
  readonly interrupt: () => Promise<void>;
  readonly ended: Promise<number | null>;
}

function terminal(folder: string, script: string, args: readonly string[], variables: NodeJS.ProcessEnv): Terminal {
  const child: ChildProcess = spawn(process.execPath, [script, ...args], { cwd: folder, env: variables });
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  onTestFinished(() => void child.kill('SIGKILL'));
  return {
    output: () => output,
    ended,
    interrupt: async () => {
      child.kill('SIGINT');
      await ended;
    },
  };
}

test('tutorial: its files and commands, a worker stopped in the middle → the answers', async () => {
  const project = await consumerProject({
    'package.json': '{}',
    // A reader needs half a minute to stop the worker.
    'local-api.mjs': block('LocalApi.start').replace('30_000', '3_000'),
    'requests.jsonl': `${block('"paris"')}\n`,
  });
  onTestFinished(project.remove);
  const [port = 0] = await freePorts(1, '127.0.0.1');
  const { address, namespace, taskQueue } = temporal;
  const variables = {
    ...cleanEnvironment(),
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: namespace,
    LLM_JOBS_TASK_QUEUE: taskQueue,
  };
  const cli = join(project.folder, 'node_modules/temporal-llm-jobs/dist/cli.js');
  const llmJobs = (args: readonly string[], more: NodeJS.ProcessEnv = {}) =>
    terminal(project.folder, cli, args, { ...variables, ...more });
  const typed = async (command: string) => {
    const run = llmJobs(argumentsOf(command));
    return { code: await run.ended, output: run.output() };
  };

  const api = terminal(project.folder, 'local-api.mjs', [], { ...variables, PORT: String(port) });
  await waitFor(() => api.output().includes('OPENAI_BASE_URL'), 'the local API');
  const [url = '', key = ''] = [...api.output().matchAll(/=(\S+)/g)].map(([, value = '']) => value);
  expect(block('llm-jobs worker')).toContain(`OPENAI_API_KEY=${key}`);
  const startWorker = async () => {
    const worker = llmJobs(argumentsOf('llm-jobs worker'), {
      OPENAI_BASE_URL: url,
      OPENAI_API_KEY: key,
      LLM_JOBS_POLL_MIN: '200ms',
      LLM_JOBS_SHUTDOWN_GRACE: '1s',
      LLM_JOBS_POLL_MAX: '500ms',
    });
    await waitFor(() => worker.output().includes('worker ready'), 'the worker');
    return worker;
  };
  const worker = await startWorker();

  expect(await typed('llm-jobs check')).toMatchObject({ code: 0, output: expect.stringContaining('faults    none') });
  expect(await typed('batch start')).toMatchObject({ code: 0, output: expect.stringContaining('first was started') });
  const run = new LlmJobsClient(temporal.client, { taskQueue }).batch('first');
  await waitFor(async () => (await run.progress()).status === 'in_progress', 'the batch to be at the provider');
  await worker.interrupt();
  await startWorker();
  expect(await typed('llm-jobs watch')).toMatchObject({ code: 0, output: expect.stringContaining('3 succeeded') });
  expect(await typed('batch start')).toMatchObject({ code: 5, output: expect.stringContaining('has ended') });
  const { output } = await typed('llm-jobs results');
  const answers = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { customId: string; ok: boolean });
  expect(answers.map(({ customId, ok }) => `${customId} ${ok}`).toSorted()).toEqual([
    'oslo true',
    'paris true',
    'rome true',
  ]);
});
