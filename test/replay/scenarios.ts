/**
 * The runs whose histories are kept in `test/histories`, by name. `npm run record:histories` plays them,
 * `replay.test.ts` replays the histories.
 */
import type { WorkflowHandle } from '@temporalio/client';
import type { BatchRun, FineTuningRun, LlmJobsClient } from '../../src/client.js';
import type { BatchProgress, BatchSpec, FineTuningSpec } from '../../src/index.js';
import type { runBatch } from '../../src/workflows.js';
import type { LocalApi } from '../../src/testing/index.js';
import { accountWatchId } from '../../src/contract/account-watch.js';
import { HOUR } from '../../dev/stage/timing.js';
import { waitFor } from '../../dev/stage/wait-for.js';
import { chatExamples, chatRequest, chatRequests } from '../support/samples.js';
import { budgetOf } from '../support/budget.js';

/** What a scenario needs: a client of a real server, and the local API with an hour of its time in each second. */
export interface ScenarioStage {
  readonly jobs: LlmJobsClient;
  readonly api: LocalApi;
  readonly write: (values: readonly unknown[]) => Promise<string>;
}

/** Starts a run and steers it; the recorder waits for its end. */
export type Scenario = (stage: ScenarioStage) => Promise<{ readonly handle: WorkflowHandle }>;

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'batch-completed': async (stage) => {
    const requests = [...chatRequests(8), chatRequest(8, { user: 'local-api:status=429' })];
    const input = { uri: await stage.write(requests) };
    return batch(stage, { input, metadata: { team: 'blue' }, cleanup: { input: true, output: true } });
  },
  'batch-inline-requests': (stage) => batch(stage),
  'batch-invalid-spec': (stage) =>
    plain(stage, 'runBatch', { input: { uri: 'file:///nowhere.jsonl' }, endpoint: 'chat' }),
  'batch-invalid-input': async (stage) =>
    batch(stage, { input: { uri: await stage.write([chatRequest(0), chatRequest(0)]) } }),
  'batch-failed': (stage) => {
    stage.api.scenarios.forNextBatch('failsOnTokenLimit');
    return batch(stage);
  },
  'batch-expired': (stage) => {
    stage.api.scenarios.forNextBatch({ timing: { inProgressMs: 4 * HOUR, expiresAfterMs: 2 * HOUR, jitter: 0 } });
    return batch(stage);
  },
  'batch-unknown-status': (stage) => {
    stage.api.scenarios.forNextBatch('unknownStatus');
    return batch(stage);
  },
  'batch-vanished': (stage) => {
    stage.api.scenarios.forNextBatch('vanishesWhileRunning');
    return batch(stage, { vanishedAfter: '1s' });
  },
  'batch-stuck-after-cancel': async (stage) => {
    stage.api.scenarios.forNextBatch('stuckCancelling');
    const run = await batch(stage, { stuckAfter: '2s' });
    await status(run, 'in_progress');
    await run.cancel();
    return run;
  },
  'batch-answers-lost': (stage) => {
    stage.api.faults.add({ on: 'files.create', effect: 'lostAnswer' });
    stage.api.faults.add({ on: 'batches.create', effect: 'lostAnswer' });
    stage.api.faults.add({ on: 'batches.retrieve', effect: 'serverError' });
    return batch(stage);
  },
  'batch-create-refused': (stage) => {
    stage.api.faults.add({ on: 'batches.create', effect: 'quotaExceeded' });
    return batch(stage);
  },
  'batch-woken': async (stage) => {
    const run = await batch(stage, { poll: { min: '500ms', max: '500ms' } });
    await status(run, 'validating');
    await run.wake();
    await status(run, 'in_progress');
    await run.wake();
    return run;
  },
  'bulk-in-two-rounds': async (stage) => {
    stage.api.scenarios.forNextBatch('missingLines');
    const input = { uri: await stage.write(chatRequests(12)) };
    const retry = { undelivered: true };
    return stage.jobs.startBulkBatch({ input, split: { requests: 5 }, maxParallel: 2, settleFor: 0, retry });
  },
  'bulk-in-one-round': async (stage) => {
    const input = { uri: await stage.write(chatRequests(9)) };
    return stage.jobs.startBulkBatch({ input, split: { requests: 3 }, maxParallel: 2, enqueuedTokens: 1_000 });
  },
  'bulk-part-refused': async (stage) => {
    stage.api.faults.add({ on: 'batches.create', effect: { kind: 'status', status: 403, code: 'model_not_found' } });
    stage.api.scenarios.forNextBatch('failsOnTokenLimit');
    const input = { uri: await stage.write(chatRequests(6)) };
    const run = await stage.jobs.startBulkBatch({ input, split: { requests: 3 }, maxParallel: 1 });
    await waitFor(async () => (await run.progress()).waitingFor?.includes('token_limit') ?? false, 'the token limit');
    await run.cancel();
    return run;
  },
  'bulk-cancelled': async (stage) => {
    const input = { uri: await stage.write(chatRequests(12)) };
    const run = await stage.jobs.startBulkBatch({ input, split: { requests: 4 }, maxParallel: 2 });
    await waitFor(async () => (await run.progress()).parts.running === 2, 'two parts to run');
    await run.cancel('enough');
    return run;
  },
  'bulk-part': (stage) => partOfBulk(stage),
  'bulk-part-cancelled': async (stage) => {
    stage.api.scenarios.forNextBatch({ stuckIn: ['in_progress'] });
    const part = await partOfBulk(stage);
    await waitFor(
      async () => (await part.handle.query<BatchProgress>('progress')).status === 'in_progress',
      'a batch in progress',
    );
    await part.handle.signal('cancel', 'enough');
    return part;
  },
  'token-budget': async (stage) => {
    stage.api.scenarios.forNextBatch('failsOnTokenLimit');
    await (await partOfBulk(stage)).handle.result().catch(() => undefined);
    const { taskQueue, client } = stage.jobs;
    const handle = budgetOf({ client, taskQueue });
    await handle.terminate('recorded');
    return { handle };
  },
  'bulk-invalid-input': async (stage) =>
    stage.jobs.startBulkBatch({ input: { uri: await stage.write([chatRequest(0), chatRequest(0)]) } }),
  'batch-deadline': (stage) => {
    stage.api.scenarios.forNextBatch({ stuckIn: ['in_progress'] });
    return batch(stage, { deadline: '2s' });
  },
  'batch-cancelled-first': async (stage) => ({
    handle: await stage.jobs.client.workflow.signalWithStart('runBatch', {
      ...options(stage),
      args: [batchSpec()],
      signal: 'cancel',
      signalArgs: ['changed my mind'],
    }),
  }),
  'batch-cancelled-uploading': cancelledBatch({ on: 'files.create', phase: 'uploading' }),
  'batch-cancelled-creating': cancelledBatch({ on: 'batches.create', phase: 'creating' }),
  'batch-cancelled-validating': cancelledBatch({ status: 'validating' }),
  'batch-cancelled-in-progress': cancelledBatch({ status: 'in_progress' }),
  'batch-cancelled-finalizing': cancelledBatch({ status: 'finalizing' }),
  'batch-cancel-lost-the-race': async (stage) => {
    stage.api.scenarios.forNextBatch({ cancelLosesRace: true, stuckIn: ['in_progress'] });
    const run = await batch(stage);
    await status(run, 'in_progress');
    await run.cancel();
    return run;
  },
  'batch-natively-cancelled-at-once': async (stage) => cancelNatively(await batch(stage)),
  'batch-natively-cancelled-creating': async (stage) => {
    stage.api.faults.add({ on: 'batches.create', effect: { kind: 'delay', ms: 500 } });
    const run = await batch(stage);
    await phase(run, 'creating');
    return cancelNatively(run);
  },
  'batch-natively-cancelled-in-progress': async (stage) => {
    stage.api.scenarios.forNextBatch({ stuckIn: ['in_progress'] });
    const run = await batch(stage);
    await status(run, 'in_progress');
    return cancelNatively(run);
  },

  'batch-watched': (stage) => batch(stage, { watch: 'account' }),
  'batch-watched-cancelled': async (stage) => {
    stage.api.scenarios.forNextBatch({ stuckIn: ['in_progress'] });
    const run = await batch(stage, { watch: 'account' });
    await status(run, 'in_progress');
    await run.look();
    await run.cancel('too slow');
    return run;
  },
  'fine-tuning-watched': (stage) => fineTuning(stage, { watch: 'account' }),
  'account-watch': async (stage) => {
    const runs = [await batch(stage, { watch: 'account' }), await batch(stage, { watch: 'account' })];
    await Promise.all(runs.map((run) => run.handle.result()));
    const { taskQueue, client } = stage.jobs;
    return { handle: client.workflow.getHandle(accountWatchId(taskQueue, 'default')) };
  },

  'fine-tuning-succeeded': async (stage) =>
    fineTuning(stage, {
      validationFile: { uri: await stage.write(chatExamples(11)) },
      suffix: 'numbers',
      seed: 7,
      cleanup: { input: true },
    }),
  'fine-tuning-invalid-input': async (stage) =>
    fineTuning(stage, { trainingFile: { uri: await stage.write(chatExamples(3)) } }),
  'fine-tuning-failed': (stage) => {
    stage.api.scenarios.forNextFineTuningJob('failsWhileRunning');
    return fineTuning(stage);
  },
  'fine-tuning-answers-lost': (stage) => {
    stage.api.faults.add({ on: 'files.create', effect: 'lostAnswer' });
    stage.api.faults.add({ on: 'fineTuning.create', effect: 'lostAnswer' });
    return fineTuning(stage);
  },
  'fine-tuning-paused-and-resumed': async (stage) => {
    const run = await fineTuning(stage);
    await status(run, 'running');
    await run.pause();
    await status(run, 'paused');
    await run.pause().catch(() => undefined);
    await run.resume();
    return run;
  },
  'fine-tuning-deadline': (stage) => {
    stage.api.scenarios.forNextFineTuningJob('stuckQueued');
    return fineTuning(stage, { deadline: '2s' });
  },
  'fine-tuning-cancelled-first': async (stage) => ({
    handle: await stage.jobs.client.workflow.signalWithStart('runFineTuning', {
      ...options(stage),
      args: [await fineTuningSpec(stage)],
      signal: 'cancel',
      signalArgs: [],
    }),
  }),
  'fine-tuning-cancelled-queued': cancelledFineTuning('queued'),
  'fine-tuning-cancelled-running': cancelledFineTuning('running'),
  'fine-tuning-natively-cancelled': async (stage) => {
    stage.api.scenarios.forNextFineTuningJob('stuckRunning');
    const run = await fineTuning(stage);
    await status(run, 'running');
    return cancelNatively(run);
  },
};

function batchSpec(): BatchSpec {
  return { input: { requests: chatRequests(6) }, endpoint: '/v1/chat/completions' };
}

function batch({ jobs }: ScenarioStage, spec: Partial<BatchSpec> = {}): Promise<BatchRun> {
  return jobs.startBatch({ ...batchSpec(), ...spec });
}

async function fineTuningSpec(stage: ScenarioStage): Promise<FineTuningSpec> {
  return { model: 'gpt-4o-mini-2024-07-18', trainingFile: { uri: await stage.write(chatExamples(10)) } };
}

async function fineTuning(stage: ScenarioStage, spec: Partial<FineTuningSpec> = {}): Promise<FineTuningRun> {
  return stage.jobs.startFineTuning({ ...(await fineTuningSpec(stage)), ...spec });
}

/** The run of the only part of a bulk batch. */
async function partOfBulk({ jobs, write }: ScenarioStage) {
  const run = await jobs.startBulkBatch({ input: { uri: await write(chatRequests(3)) } });
  const handle = jobs.client.workflow.getHandle<typeof runBatch>(`${run.workflowId}/r1-p1`);
  const isStarted = () =>
    handle.describe().then(
      () => true,
      () => false,
    );
  await waitFor(isStarted, 'the run of the part');
  return { handle };
}

function options({ jobs }: ScenarioStage) {
  return { taskQueue: jobs.taskQueue, workflowId: `recorded-${Date.now()}` };
}

/** As a client in another language starts it: nothing is checked before. */
async function plain(stage: ScenarioStage, type: string, spec: unknown) {
  return { handle: await stage.jobs.client.workflow.start(type, { ...options(stage), args: [spec] }) };
}

/** Cancelled by signal while a request is under way, or while the batch has a status that it keeps. */
function cancelledBatch(
  at:
    { on: 'files.create' | 'batches.create'; phase: string } | { status: 'validating' | 'in_progress' | 'finalizing' },
): Scenario {
  return async (stage) => {
    if ('on' in at) stage.api.faults.add({ on: at.on, effect: { kind: 'delay', ms: 1_000 } });
    else stage.api.scenarios.forNextBatch({ stuckIn: [at.status] });
    const run = await batch(stage);
    await ('on' in at ? phase(run, at.phase) : status(run, at.status));
    await run.cancel('too slow');
    return run;
  };
}

function cancelledFineTuning(at: 'queued' | 'running'): Scenario {
  return async (stage) => {
    stage.api.scenarios.forNextFineTuningJob({ stuckIn: [at] });
    const run = await fineTuning(stage);
    await status(run, at);
    await run.cancel('wrong data');
    return run;
  };
}

async function cancelNatively<Run extends BatchRun | FineTuningRun>(run: Run): Promise<Run> {
  await run.handle.cancel();
  return run;
}

const status = (run: BatchRun | FineTuningRun, wanted: string) =>
  waitFor(async () => (await run.progress()).status === wanted, wanted);

const phase = (run: BatchRun | FineTuningRun, wanted: string) =>
  waitFor(async () => (await run.progress()).phase === wanted, wanted);
