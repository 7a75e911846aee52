import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { workerProcessStage } from '../support/stage.js';
import { endpoint, readLines } from '../support/runs.js';
import { HOUR } from '../../dev/stage/timing.js';
import { waitFor } from '../../dev/stage/wait-for.js';
import { chatExamples, chatRequest, chatRequests } from '../support/samples.js';

const model = 'gpt-4o-mini-2024-07-18';

/** A query of Temporal's own, for the page of a run. */
const METADATA = '__temporal_workflow_metadata';

describe('one full pass, with a worker process on a real server', () => {
  const stage = workerProcessStage();
  beforeAll(async () => {
    await stage.startWorker();
  });

  test.concurrent(
    'batch: every option of the spec → output, errors, manifest, and no files left at the provider',
    async () => {
      const requests = [...chatRequests(30), chatRequest(30, { user: 'local-api:status=429' })];
      const run = await stage.jobs.startBatch({
        input: { uri: await stage.write(requests) },
        endpoint,
        metadata: { team: 'blue' },
        outputUri: new URL('wanted/', stage.root).href,
        outputExpiresAfter: '2d',
        deadline: '23h',
        cleanup: { input: true, output: true },
      });
      const result = await run.result();

      expect(result).toMatchObject({
        status: 'completed',
        model: 'gpt-4o-mini',
        requestCounts: { total: 31, completed: 30, failed: 1 },
        lines: { succeeded: 30, failed: 1, unfinished: 0, missing: 0 },
        warnings: [],
      });
      expect(result.output?.uri).toContain(`/wanted/${result.batchId}/output.jsonl`);
      const answered = await readLines(result.output?.uri);
      expect(new Set(answered.map(({ custom_id: id }) => id)).size).toBe(30);
      expect((await readLines(result.errors?.uri)).map(({ custom_id: id }) => id)).toEqual(['request-30']);
      const manifest = new URL('manifest.json', result.output?.uri);
      expect(JSON.parse(await readFile(manifest, 'utf8'))).toEqual(result);

      const batch = (await stage.api.batches()).find(({ id }) => id === result.batchId);
      expect(batch?.metadata).toMatchObject({ team: 'blue' });
      const files = (await stage.api.files()).map(({ id }) => id);
      for (const id of [batch?.input_file_id, batch?.output_file_id, batch?.error_file_id]) {
        expect(id).toBeTypeOf('string');
        expect(files).not.toContain(id);
      }
    },
  );

  test.concurrent('fine-tuning: with a validation file → model, checkpoints, events, result files', async () => {
    const run = await stage.jobs.startFineTuning({
      model,
      trainingFile: { uri: await stage.write(chatExamples(20)) },
      validationFile: { uri: await stage.write(chatExamples(12)) },
      method: { type: 'supervised', supervised: { hyperparameters: { n_epochs: 3 } } },
      suffix: 'numbers',
      seed: 7,
      metadata: { team: 'blue' },
      cleanup: { input: true },
    });
    const result = await run.result();

    expect(result).toMatchObject({ status: 'succeeded', cancellation: null, warnings: [] });
    expect(result.fineTunedModel).toMatch(/^ft:gpt-4o-mini-2024-07-18:.*numbers/);
    expect(result.checkpoints.length).toBeGreaterThan(0);
    for (const { metrics } of result.checkpoints) expect(Object.keys(metrics)).toContain('train_loss');
    expect((await readLines(result.events?.uri)).at(-1)?.message).toMatch(/success/i);
    const [metricsFile] = result.resultFiles;
    expect(await readFile(new URL(metricsFile?.uri ?? ''), 'utf8')).toContain('train_loss');

    const job = (await stage.api.fineTuningJobs()).find(({ id }) => id === result.jobId);
    expect(job).toMatchObject({ seed: 7, metadata: { team: 'blue' } });
    const files = (await stage.api.files()).map(({ id }) => id);
    expect(files).not.toContain(job?.training_file);
    expect(files).not.toContain(job?.validation_file);
  });

  test.concurrent('progress: while a batch is in progress → fresher counts than the bare query has', async () => {
    const metadata = { test: 'progress' };
    const isOurs = (batch: { metadata: Record<string, string> }) => batch.metadata.test === metadata.test;
    stage.api.scenarios.forBatches(isOurs, { timing: { inProgressMs: 60 * HOUR, jitter: 0 } });
    const run = await stage.jobs.startBatch({ input: { requests: chatRequests(200) }, endpoint, metadata });
    await waitFor(async () => {
      const bare = await run.handle.query<{ status: string; counts: { completed: number } }>('progress');
      const { status, counts } = await run.progress();
      return bare.status === 'in_progress' && status === 'in_progress' && counts.completed > bare.counts.completed;
    }, 'fresher counts');
    await run.cancel();
    const { requestCounts } = await run.result();
    expect(requestCounts.total).toBe(200);
    expect((await run.progress()).counts).toEqual(requestCounts);
  });

  test.concurrent('in the UI: any run → summary and details at the start, current details, descriptions', async () => {
    const metadata = { test: 'ui' };
    stage.api.scenarios.forFineTuningJobs((job) => job.metadata.test === metadata.test, { stuckIn: ['running'] });
    const run = await stage.jobs.startFineTuning({
      model,
      trainingFile: { uri: await stage.write(chatExamples(10)) },
      metadata,
    });
    const { staticSummary, staticDetails } = await run.handle.describe().then(async (description) => ({
      staticSummary: await description.staticSummary(),
      staticDetails: await description.staticDetails(),
    }));
    expect(staticSummary?.replaceAll('\\', '')).toBe(`Fine-tuning of ${model} (supervised)`);
    expect(staticDetails).toContain('`cancel`');

    // The watch knows the status first; the run is woken for its page.
    const page = async () => (await run.handle.query<{ currentDetails: string }>(METADATA)).currentDetails;
    await waitFor(async () => (await page()).includes(': `running`'), 'running');
    const { jobId } = await run.progress();
    const { definition, currentDetails } = await run.handle.query<{
      currentDetails: string;
      definition: Record<string, { name: string; description?: string }[]>;
    }>(METADATA);
    expect(currentDetails).toContain(`### Fine-tuning job \`${jobId}\`: \`running\``);
    expect(currentDetails).toContain('**Waiting for the provider:** it trains the model.');
    const described = Object.values(definition).flatMap((messages) => (Array.isArray(messages) ? messages : []));
    const withoutDescription = ['cancel', 'wake', 'progress', 'pause', 'resume'].filter(
      (name) => !described.find((message) => message.name === name)?.description,
    );
    expect(withoutDescription).toEqual([]);
    await run.cancel();
    await run.result();
  });
});
