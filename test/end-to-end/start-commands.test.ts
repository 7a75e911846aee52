/** The commands that start runs, follow them and read their results, on the real dev server. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { llmJobs, useVariablesOf } from '../support/commands.js';
import { chatExamples, chatRequests, jsonl } from '../support/samples.js';
import { devServerStage } from '../support/stage.js';

describe('llm-jobs: commands that start runs', () => {
  const stage = devServerStage();
  let workflowId = '';

  useVariablesOf(stage, () => ({ LLM_JOBS_STORAGE: stage.root }));

  beforeEach(() => {
    workflowId = `by-command-${Date.now()}`;
  });

  test('batch run with a local file → followed to its end; results prints the answers', async () => {
    stage.api.scenarios.forNextBatch('someLinesFail');
    const ran = await llmJobs('batch', 'run', await localFile(chatRequests(8)), '--id', workflowId);
    expect(ran.code).toBe(0);
    expect(ran.err[0]).toBe(`${workflowId} was started`);
    expect(ran.err.at(-1)).toMatch(/^done {2}batch_\w+ {2}completed/);
    expect(ran.out[0]).toBe(`${workflowId} has ended`);
    expect(ran.out).toContain('  status    completed');
    expect(ran.out.at(-1)).toBe(`To read the answers: llm-jobs results ${workflowId}`);

    const answers = (await llmJobs('results', workflowId)).out.map((line) => JSON.parse(line) as { ok: boolean });
    expect(answers).toHaveLength(8);
    const failed = (await llmJobs('results', workflowId, '--failed')).out.map((line) => JSON.parse(line) as object);
    expect(failed).toEqual(answers.filter(({ ok }) => !ok));
    expect(failed.length).toBeGreaterThan(0);

    const texts = (await llmJobs('results', workflowId, '--text', '--with-input')).out.map(
      (line) => JSON.parse(line) as { customId: string; ok: boolean; value: string; request: { custom_id: string } },
    );
    expect(texts).toHaveLength(8);
    for (const { customId, ok, value, request } of texts) {
      expect([request.custom_id, typeof value]).toEqual([customId, ok ? 'string' : 'undefined']);
    }
    const out = join(stage.folder, 'answers.csv');
    const written = await llmJobs('results', workflowId, '--text', '--out', out, '--json');
    const tally = { answered: 8 - failed.length, failed: failed.length };
    expect(JSON.parse(written.out.join('\n'))).toEqual({ file: out, ...tally });
    expect(await readFile(out, 'utf8')).toMatch(/^customId,ok,value,status,code,message\n[^,]+,true,/);

    const again = await llmJobs('batch', 'start', await localFile(chatRequests(1)), '--id', workflowId);
    expect(again).toMatchObject({ code: 5, out: [] });
  });

  test('bulk start with two files, and watch → the merged result as JSON', async () => {
    const files = [await localFile(chatRequests(3)), await stage.write(chatRequests(2).map(renamed))];
    const started = await llmJobs('bulk', 'start', ...files, '--id', workflowId, '--json');
    expect(started).toEqual({ code: 0, err: [], out: [JSON.stringify({ workflowId })] });
    const early = await llmJobs('results', workflowId);
    expect([0, 5]).toContain(early.code);
    const watched = await llmJobs('watch', workflowId, '--json');
    expect(JSON.parse(watched.out.join('\n'))).toMatchObject({ status: 'completed', requests: 5 });
  });

  test('fine-tune run → the model', async () => {
    const timing = { validatingMs: 50, queuedMs: 50, runningMs: 500, jitter: 0 };
    stage.api.scenarios.forNextFineTuningJob({ timing });
    const file = await localFile(chatExamples(12));
    const { code, out } = await llmJobs('fine-tune', 'run', file, '--model', 'gpt-4o-mini', '--id', workflowId);
    expect(code).toBe(0);
    expect(out).toContainEqual(expect.stringMatching(/^ {2}model +ft:/));
    expect((await llmJobs('results', workflowId)).code).toBe(5);
  });

  test('a batch that fails → exit code 2, the reason and what to do next', async () => {
    stage.api.scenarios.forNextBatch('failsOnFile');
    const { code, err, out } = await llmJobs('batch', 'run', await localFile(chatRequests(2)), '--id', workflowId);
    expect({ code, out }).toEqual({ code: 2, out: [] });
    expect(err.at(-2)).toMatch(/^llm-jobs: BatchFailed: /);
    expect(err.at(-1)).toMatch(/start again/);
    const results = await llmJobs('results', workflowId);
    expect(results).toEqual({ code: 2, out: [], err: err.slice(-2) });
  });

  test('a run that was terminated → watch and results exit with code 2, and say what finds the job that is left', async () => {
    stage.api.scenarios.forNextBatch({ timing: { validatingMs: 50, inProgressMs: 60_000, jitter: 0 } });
    const input = { requests: chatRequests(1) };
    const run = await stage.jobs.startBatch({ input, endpoint: '/v1/chat/completions' }, { workflowId });
    await run.handle.terminate('too dear');
    for (const command of ['watch', 'results']) {
      const { code, out, err } = await llmJobs(command, workflowId);
      expect({ code, out }).toEqual({ code: 2, out: [] });
      expect(err.slice(-2)).toEqual([
        `llm-jobs: the run "${workflowId}" was terminated: too dear`,
        expect.stringContaining('llm-jobs orphans'),
      ]);
    }
  });

  test('no worker polls the task queue → start says so at once, and watch while it waits for one', async () => {
    const taskQueue = `without-a-worker-${workflowId}`;
    const file = await localFile(chatRequests(1));
    const started = await llmJobs('batch', 'start', file, '--id', workflowId, '--task-queue', taskQueue);
    const advice = `No worker polls the task queue "${taskQueue}". Start one: llm-jobs worker`;
    expect(started).toMatchObject({ code: 0, err: [advice] });
    const { handle } = stage.jobs.batch(workflowId);
    const watching = llmJobs('watch', workflowId);
    await handle.terminate('nobody came');
    const { code, err } = await watching;
    expect({ code, first: err[0] }).toEqual({ code: 2, first: advice });
  });

  test('what is wrong with the arguments → exit code 1, and nothing is copied or started', async () => {
    const before = await inputs();
    const missing = await llmJobs('batch', 'start', 'nowhere.jsonl');
    expect(missing).toMatchObject({ code: 1, err: [expect.stringContaining('nowhere.jsonl'), expect.anything()] });
    const file = await localFile([{ custom_id: 'a' }]);
    const noEndpoint = await llmJobs('batch', 'start', file);
    expect(noEndpoint).toMatchObject({ code: 1, err: [expect.stringContaining('endpoint'), expect.anything()] });
    const wrongSpec = await llmJobs('bulk', 'start', file, '--spec', await localFile([{ maxParalel: 3 }]));
    expect(wrongSpec).toMatchObject({ code: 1, err: [expect.stringContaining('maxParalel'), expect.anything()] });
    const noSpec = await llmJobs('bulk', 'start', file, '--spec', 'nowhere.json');
    expect(noSpec).toMatchObject({ code: 1, err: [expect.stringContaining('nowhere.json'), expect.anything()] });
    expect(await inputs()).toEqual(before);
  });

  const inputs = async () => readdir(join(stage.folder, 'inputs')).catch(() => []);
});

const renamed = <T extends { custom_id: string }>(request: T): T => ({
  ...request,
  custom_id: `x-${request.custom_id}`,
});

/** A file that no worker may read. */
async function localFile(lines: readonly object[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'llm-jobs-command-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'requests.jsonl');
  await writeFile(path, jsonl(lines));
  return path;
}
