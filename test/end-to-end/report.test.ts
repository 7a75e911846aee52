/** `llm-jobs report`: pages about real runs, read as a browser reads them. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../dev/stage/wait-for.js';
import { llmJobs, useVariablesOf } from '../support/commands.js';
import { readHtml, textOf, type HtmlPage } from '../support/html-page.js';
import { endpoint, expectCancelled } from '../support/runs.js';
import { chatExamples, chatRequest, chatRequests } from '../support/samples.js';
import { devServerStage } from '../support/stage.js';

const SCRIPT = '<script>alert(1)</script>';
const SLOW = { timing: { validatingMs: 50, inProgressMs: 60_000, jitter: 0 } };

describe('llm-jobs report', () => {
  const fineTuning = { validatingMs: 50, queuedMs: 50, runningMs: 300, jitter: 0 };
  const stage = devServerStage({ api: { fineTuning } });
  let folder = '';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'llm-jobs-report-'));
    const prices = { 'gpt-4o-mini*': { input: 1, output: 2, training: 3 } };
    await writeFile(join(folder, 'config.json'), JSON.stringify({ prices }));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  useVariablesOf(stage, () => ({ LLM_JOBS_CONFIG: join(folder, 'config.json'), LLM_JOBS_STORAGE: stage.root }));

  /** The page about a run, and what is true of every page. */
  async function reportOf(id: string): Promise<HtmlPage> {
    const file = join(folder, `${Date.now()}.html`);
    const { code, out, err } = await llmJobs('report', id, '--out', file);
    if (code !== 0) throw new Error(err.join('\n'));
    if (out[0] !== file) throw new Error(`unexpected output: ${out.join('\n')}`);
    return readHtml(await readFile(file, 'utf8'));
  }

  /** Lists of runs lag behind the runs. */
  async function untilListed(query: string, runs: number): Promise<void> {
    const { workflow } = stage.temporal.client;
    await waitFor(async () => (await workflow.count(query)).count === runs, 'the list of the runs');
  }

  test('a bulk of two rounds → each part over time with its batch, the rounds, reasons, usage and cost', async () => {
    stage.api.scenarios.forNextBatch({ lines: (index) => (index === 0 ? { kind: 'status', status: 500 } : undefined) });
    const input = { uri: await stage.write([...chatRequests(4), chatRequest(4, { user: 'local-api:status=400' })]) };
    const run = await stage.jobs.startBulkBatch({ input, split: { requests: 3 }, maxRounds: 2 });
    const { usage, output } = await run.result();
    await untilListed(`WorkflowId STARTS_WITH '${run.workflowId}/' AND CloseTime IS NOT NULL`, 3);
    const page = await reportOf(run.workflowId);
    const batches = (await stage.api.batches()).filter(({ metadata }) =>
      JSON.stringify(metadata).includes(run.workflowId),
    );
    expect(batches.length).toBeGreaterThan(2);
    const parts = page.section('Parts over time');
    for (const { id } of batches) expect(parts.split(id)).toHaveLength(3);
    expect(page.all('rect').length).toBeGreaterThanOrEqual(batches.length);
    expect(parts).toMatch(/round 1, part 1 .*round 1, part 2 .*round 2, part 1/);
    expect(page.section('Rounds')).toMatch(/ 1 5 5 first 2 1 1 failed$/);
    expect(page.section('Why requests have no answer')).toMatch(/ 1 400 Invalid request\. request-4$/);
    const { inputTokens, outputTokens } = usage['gpt-4o-mini']!;
    const cost = (inputTokens + 2 * outputTokens) / 1e6;
    expect(page.section('Usage and cost')).toContain(`Cost ${cost}, in USD, by the prices of the configuration`);

    // Temporal may have removed the run: the name of its folder is left.
    const removed = await reportOf(output!.uri.split('/').at(-2)!);
    expect(removed.section('Bulk batch')).toContain('no longer known to Temporal');
    for (const { id } of batches) expect(removed.section('Parts over time')).toContain(id);
  });

  test('a bulk under way → its open parts with their batches, and as far as it is', async () => {
    const rule = stage.api.scenarios.forBatches(() => true, SLOW);
    const run = await stage.jobs.startBulkBatch({
      input: { uri: await stage.write(chatRequests(4)) },
      split: { requests: 2 },
    });
    const batchIds = async () =>
      (await stage.api.batches()).filter(({ status }) => status === 'in_progress').map(({ id }) => id);
    await waitFor(async () => (await batchIds()).length === 2, 'the batches');
    await untilListed(`WorkflowId STARTS_WITH '${run.workflowId}/'`, 2);
    const page = await reportOf(run.workflowId);
    expect(page.section('Parts over time')).toMatch(/^Parts over time 2 running/);
    for (const id of await batchIds()) expect(page.section('Parts over time').split(id)).toHaveLength(3);
    expect(page.section('Bulk batch')).toMatch(/Run running .*Phase waiting .*0 done, 2 running, 0 waiting, of 2/);
    rule.remove();
    await run.handle.cancel();
    await expectCancelled(run);
    const ended = await reportOf(run.workflowId);
    expect(ended.section('Bulk batch')).toMatch(/Run cancelled .*Status cancelled/);
    expect(ended.section('Requests')).toContain('unfinished 4 100.0 %');
    const parts = ended.section('Parts over time');
    const cancelled = (await stage.api.batches()).filter(({ status }) => status === 'cancelled');
    expect(cancelled).toHaveLength(2);
    for (const { id } of cancelled) expect(parts).toContain(id);
  });

  test('a batch whose model, ids and messages are HTML → they stay text, and the page can load nothing', async () => {
    const requests = chatRequests(3).map((request, index) => ({
      ...request,
      custom_id: `<img src=x onerror=alert(${index})>`,
      body: { ...request.body, model: SCRIPT },
    }));
    stage.api.scenarios.forNextBatch({ lines: (index) => (index === 1 ? { kind: 'status', status: 429 } : undefined) });
    const run = await stage.jobs.startBatch(
      { input: { requests }, endpoint },
      { workflowId: `<b>&amp;"'${Date.now()}` },
    );
    const { batchId } = await run.result();
    const page = await reportOf(run.workflowId);
    expect(
      ['script', 'img', 'b', 'iframe', 'link', 'object', 'a', 'image'].filter((name) => page.names.has(name)),
    ).toEqual([]);
    expect(
      page.attributes.filter(
        ({ name, value }) => name.startsWith('on') || /^(src|href)$|url\(/.test(`${name}${value}`),
      ),
    ).toEqual([]);
    const [policy] = page.all('meta').filter(({ attrs }) => attrs[0]?.value === 'Content-Security-Policy');
    expect(policy?.attrs[1]?.value).toMatch(/^default-src 'none'; style-src 'unsafe-inline'/);
    expect(page.all('html')[0]?.attrs).toEqual([{ name: 'lang', value: 'en' }]);
    expect(textOf(page.all('title')[0]!.childNodes)).toBe(`Batch ${run.workflowId}`);
    expect(page.section('Usage and cost')).toContain(SCRIPT);
    expect(page.section('Usage and cost')).toContain('No cost');
    expect(page.section('Why requests have no answer')).toMatch(/ 1 429 .* <img src=x onerror=alert\(1\)>$/);
    expect(page.section('What happened when')).toMatch(/created \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/);
    expect(page.section('Batch')).toMatch(`Batch ${batchId} Status completed`);
    expect(page.section('Files')).toMatch(/output.jsonl 2 .*errors.jsonl 1 /);
    const ofBatch = await reportOf(batchId!);
    expect(ofBatch.section('Batch')).toContain('no longer known to Temporal');
    expect(ofBatch.section('Requests')).toBe(page.section('Requests'));
  });

  test('a fine-tuning job with validation → loss and accuracy as plots and tables, checkpoints, parameters, cost', async () => {
    const [training, validation] = [await stage.write(chatExamples(12)), await stage.write(chatExamples(10))];
    const run = await stage.jobs.startFineTuning({
      model: 'gpt-4o-mini-2024-07-18',
      trainingFile: { uri: training },
      validationFile: { uri: validation },
    });
    const { checkpoints, trainedTokens, fineTunedModel } = await run.result();
    const page = await reportOf(run.workflowId);
    const labels = page.all('svg').map(({ attrs }) => attrs.find(({ name }) => name === 'aria-label')?.value);
    const last = checkpoints.at(-1)!.stepNumber!;
    expect(labels).toEqual([
      expect.stringMatching(`^Loss against the training step: training loss [\\d.]+ at step ${last}, validation loss`),
      expect.stringMatching(
        /^Token accuracy against the training step: training accuracy .*, validation mean token accuracy/,
      ),
    ]);
    const loss = page.section('Loss');
    for (const [index, { stepNumber, metrics }] of checkpoints.entries()) {
      const numbers = [stepNumber, metrics.train_loss, metrics.valid_loss].map(String).join(' ');
      expect(loss).toContain(` ${numbers} checkpoint ${index + 1}`);
    }
    expect(page.section('Hyperparameters')).toMatch(/Method supervised .* n_epochs \d/);
    expect(page.section('Checkpoints')).toContain(`${fineTunedModel}:ckpt-step-`);
    expect(page.section('Cost')).toMatch(
      `Trained tokens ${trainedTokens!.toLocaleString('en-US')} Cost ${(3 * trainedTokens!) / 1e6}, in USD`,
    );
  });

  test('a run that failed → its type, the reason as text, and what next', async () => {
    stage.api.scenarios.forNextBatch({ failWith: [{ code: 'bad_line', message: SCRIPT, line: 3, param: null }] });
    const run = await stage.jobs.startBatch({ input: { requests: chatRequests(3) }, endpoint });
    await run.result().catch(() => undefined);
    const page = await reportOf(run.workflowId);
    expect(page.names.has('script')).toBe(false);
    expect(page.section('Why it failed')).toMatch(
      / BatchFailed : .* line what message 3 bad_line .*What next: Correct /,
    );
    expect(page.section('Why it failed')).toContain(SCRIPT);
  });

  test('a run that no worker serves → what Temporal knows of it, and what is missing', async () => {
    const [workflowId, taskQueue] = [`lonely-${Date.now()}`, 'without-a-worker'];
    const spec = { input: { fileId: 'file-1' }, endpoint };
    const handle = await stage.temporal.client.workflow.start('runBatch', { workflowId, taskQueue, args: [spec] });
    const open = await reportOf(workflowId);
    expect(open.section('Batch')).toMatch(
      /Run running .* Endpoint \/v1\/chat\/completions Input file-1 Provider default/,
    );
    const notes = open.all('p').map(({ childNodes }) => textOf(childNodes));
    expect(notes).toContainEqual(expect.stringContaining(`no worker polls the task queue "${taskQueue}"`));
    await handle.terminate('enough');
    const ended = await reportOf(workflowId);
    expect(ended.section('Why it failed')).toMatch(/Terminated : .*enough What next: .*llm-jobs orphans/);
  });

  test('a run that does not exist → exit code 4, and no file', async () => {
    const { code, err, out } = await llmJobs('report', 'nobody', '--out', join(folder, 'nobody.html'));
    expect({ code, out, message: err[0] }).toEqual({ code: 4, out: [], message: expect.stringContaining('"nobody"') });
    await expect(readFile(join(folder, 'nobody.html'))).rejects.toThrow('ENOENT');
  });
});
