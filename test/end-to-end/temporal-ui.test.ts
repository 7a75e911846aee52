/**
 * What a person reads in the Temporal UI without a click into the history: a real server with its UI, the local API, a
 * worker, and a real Chromium. With `LLM_JOBS_WRITE_DOCS` its screenshots are those of the docs.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { waitFor } from '../../dev/stage/wait-for.js';
import { llmJobs, useVariablesOf } from '../support/commands.js';
import { endpoint } from '../support/runs.js';
import { chatExamples, chatRequest } from '../support/samples.js';
import { devServerStage } from '../support/stage.js';
import { devServerWithUi } from '../support/temporal.js';
import { CHROMIUM, TemporalUi } from '../support/temporal-ui.js';

const MINUTE = 60_000;
const MODEL = 'gpt-5.4-mini';
const requests = (count: number) => Array.from({ length: count }, (_, index) => chatRequest(index, { model: MODEL }));
/** Matches the batches of a run by the key in their metadata. */
const isOf = (id: string) => (batch: { readonly metadata: object }) => JSON.stringify(batch.metadata).includes(id);
const why = CHROMIUM === null ? ': no Chromium in the PATH or in LLM_JOBS_CHROMIUM' : '';

describe.skipIf(CHROMIUM === null)(`Temporal UI in Chromium${why}`, () => {
  const { temporal, uiUrl } = devServerWithUi();
  const stage = devServerStage({ watch: { mode: 'account' } }, temporal);
  let ui: TemporalUi;

  beforeAll(async () => {
    vi.stubEnv('TEMPORAL_ADDRESS', temporal.address);
    vi.stubEnv('TEMPORAL_NAMESPACE', temporal.namespace);
    const { code } = await llmJobs('setup', '--ui', uiUrl());
    if (code !== 0) throw new Error(`llm-jobs setup ended with ${code}`);
    vi.unstubAllEnvs();
    await startRuns();
    ui = await TemporalUi.open(uiUrl(), temporal.namespace);
  });
  afterAll(() => ui?.close());

  /** A run of each kind and state, named after what it might be for. */
  async function startRuns(): Promise<void> {
    const { api, jobs } = stage;
    const slow = { validatingMs: 0, inProgressMs: 60 * MINUTE, jitter: 0 };
    api.scenarios.forBatches(isOf('reviews'), {
      timing: slow,
      counts: ({ total }) => ({ total, completed: 809, failed: 3 }),
      show: (batch) => ({ ...batch, in_progress_at: batch.created_at - 4_200 }),
    });
    api.scenarios.forBatches(isOf('nightly'), { timing: { ...slow, inProgressMs: MINUTE / 2 } });
    for (const part of ['backfill/r1-p1', 'backfill/r1-p2']) {
      api.scenarios.forBatches(isOf(part), {
        timing: slow,
        counts: ({ total }) => ({ total, completed: 41, failed: 0 }),
      });
    }
    api.scenarios.forNextFineTuningJob({ timing: { validatingMs: 0, queuedMs: 0, runningMs: 10 * MINUTE, jitter: 0 } });

    const trainingFile = { uri: await stage.write(chatExamples(100), 'tickets.jsonl') };
    const tickets = await jobs.startFineTuning(
      { model: 'gpt-4.1-mini-2025-04-14', trainingFile },
      { workflowId: 'tickets' },
    );
    const reviews = await jobs.startBatch(
      { input: { uri: await stage.write(requests(1_000), 'reviews.jsonl') }, endpoint, link: LINK },
      { workflowId: 'reviews' },
    );
    const nightly = await jobs.startBatch(
      { input: { uri: await stage.write(requests(120), 'nightly.jsonl') }, endpoint },
      { workflowId: 'nightly' },
    );
    const faulty = requests(6).map((request) => ({ ...request, url: '/v1/embeddings' }));
    await jobs.startBatch(
      { input: { uri: await stage.write(faulty, 'import.jsonl') }, endpoint },
      { workflowId: 'import' },
    );
    const prices = { [MODEL]: { inputPerMillion: 0.375, outputPerMillion: 2.25 } };
    const bulk = { split: { requests: 100 }, prices };
    const backfill = await jobs.startBulkBatch(
      { input: { uri: await stage.write(requests(300), 'backfill.jsonl') }, ...bulk },
      { workflowId: 'backfill' },
    );
    const evaluation = await jobs.startBulkBatch(
      { input: { uri: await stage.write(requests(200), 'evaluation.jsonl') }, ...bulk },
      { workflowId: 'evaluation' },
    );

    await waitFor(async () => (await nightly.progress()).counts.completed > 10, 'answers of the batch to be cancelled');
    await nightly.cancel('the prompt was wrong');
    await Promise.all([nightly.result(), evaluation.result()]);
    await waitFor(async () => (await backfill.progress()).parts.done === 1, 'a part of the bulk batch to end');
    await backfill.look();
    await waitFor(async () => ((await tickets.progress()).steps?.done ?? 0) > 5, 'steps of the fine-tuning job');
    await tickets.look();
    await reviews.look();
  }

  test('the list, once set up → each run with its kind, status, model and job', async () => {
    await ui.openList({
      remove: ['Run ID', 'Type', 'Start', 'End'],
      add: ['LlmJobKind', 'LlmJobStatus', 'LlmJobModel', 'LlmJobId'],
    });
    await vi.waitFor(async () => expect(await ui.rowOf('reviews')).toContain('running'), { timeout: 2 * MINUTE });
    expect(await ui.rowOf('reviews')).toEqual([
      'RUNNING',
      'reviews',
      'batch',
      'running',
      MODEL,
      expect.stringMatching(/^batch_/),
    ]);
    expect(await ui.rowOf('nightly')).toEqual([
      'COMPLETED',
      'nightly',
      'batch',
      'cancelled',
      MODEL,
      expect.stringMatching(/^batch_/),
    ]);
    expect(await ui.rowOf('import')).toEqual(['FAILED', 'import', 'batch', 'failed']);
    expect(await ui.rowOf('backfill')).toEqual(['RUNNING', 'backfill', 'bulkBatch', 'running']);
    expect(await ui.rowOf('tickets')).toEqual(expect.arrayContaining(['fineTuning', 'running']));
    await ui.screenshot('list', true);
  });

  test.each([
    {
      id: 'reviews',
      picture: 'batch-in-progress',
      isForDocs: true,
      title: 'a batch in progress',
      reads: [
        /^Batch batch_\w+: in_progress$/m,
        /^Waiting for the provider: it works on the requests/m,
        /812 \/ 1,000 answered, 3 failed, as of 20/,
        /^Expected end: 20.* at the rate so far$/m,
        /^Expires: 20/m,
        /^Terminate: only the run ends. The batch keeps running, at your cost/m,
      ],
    },
    {
      id: 'nightly',
      picture: 'batch-cancelled',
      title: 'a batch that was cancelled',
      reads: [
        /^Batch batch_\w+: cancelled$/m,
        /\d+ \/ 120 succeeded, \d+ unfinished/,
        /^Usage: [\d,]+ input tokens, [\d,]+ output tokens$/m,
        /^Cancel: requested by signal at 20.*: the prompt was wrong$/m,
        /^Answers: llm-jobs results nightly$/m,
      ],
    },
    {
      id: 'import',
      picture: 'run-failed',
      isForDocs: true,
      title: 'a run that failed',
      reads: [
        /^Batch: failed, InvalidInput$/m,
        /^line 1, url: /m,
        /^and 1 more, in the failure.s details$/m,
        /^What next: /m,
      ],
    },
    {
      id: 'tickets',
      picture: 'fine-tuning',
      title: 'a fine-tuning job',
      reads: [
        /^Fine-tuning job ftjob-\w+: running$/m,
        /^Waiting for the provider: it trains the model/m,
        /\d+ \/ 200 steps, as of 20/,
        /^Expected end: 20/m,
        /^Base model: gpt-4.1-mini-2025-04-14$/m,
      ],
    },
    {
      id: 'backfill',
      picture: 'bulk-batch',
      isForDocs: true,
      title: 'a bulk batch with parts',
      reads: [
        /^Bulk batch: round 1 of at most 3$/m,
        /100 \/ 300 requests answered/,
        /^Running batches: .* 82 \/ 200 answered, as of 20/m,
        /^Parts of this round: 1 done, 2 running, 0 waiting, of 3$/m,
        /^r1-p1: batch batch_\w+, run backfill\/r1-p1$/m,
        /^Terminate: nothing is merged/m,
      ],
    },
    {
      id: 'evaluation',
      picture: 'bulk-batch-completed',
      title: 'a bulk batch that was completed',
      reads: [
        /^Bulk batch: completed$/m,
        /200 \/ 200 succeeded/,
        /^Batches: 2, in 1 round$/m,
        /^Cost: 0\.\d+, by the prices of the spec$/m,
        /^Answers: llm-jobs results evaluation$/m,
      ],
    },
  ])(
    'the page of $id, $title → what it is, how far, what it waits for or what came out',
    async ({ id, picture, isForDocs = false, reads }) => {
      const text = await ui.openRun(id);
      await ui.screenshot(picture, isForDocs);
      for (const part of reads) expect(text).toMatch(part);
    },
  );

  test('the timeline → what each activity did, without marks of markdown', async () => {
    await ui.openRun('nightly');
    const text = await ui.timeline();
    expect(text).toMatch(/checkBatchInput • Check every line of file:\/\/\/\S+\/nightly\.jsonl$/m);
    expect(text).toMatch(/collectBatchResults • Collect the results \(batch cancelled\)$/m);
  });

  describe('a report', () => {
    useVariablesOf(stage, () => ({ LLM_JOBS_CONFIG: 'none', LLM_JOBS_STORAGE: stage.root }));

    test.each([
      ['evaluation', /Parts over time[\s\S]+round 1, part 1/],
      ['nightly', /cancelled[\s\S]+the prompt was wrong/],
    ])('of %s → plots and text, nothing loaded, nothing to complain of', async (id, reads) => {
      const file = ui.fileNamed(`report-${id}.html`);
      expect((await llmJobs('report', id, '--out', file)).code).toBe(0);
      const { text, ...seen } = await ui.openFile(file);
      expect(seen).toEqual({ plots: expect.any(Number), requests: [], complaints: [] });
      expect(seen.plots).toBeGreaterThan(0);
      expect(text).toMatch(reads);
    });
  });
});

const LINK = 'https://platform.openai.com/batches/{id}';
