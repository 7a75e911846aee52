/** What application code sees of a run: how it goes on, and why it failed. */
import { Client, ServiceError, WorkflowFailedError, type WorkflowClientInterceptor } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { JobFailedError, LlmJobsClient, readManifest, RunNotFoundError } from '../../src/client.js';
import { endpoint } from '../support/runs.js';
import { chatRequests } from '../support/samples.js';
import { devServerStage } from '../support/stage.js';

describe('a run, to application code', () => {
  const stage = devServerStage();
  const start = () => stage.jobs.startBatch({ input: { requests: chatRequests(3) }, endpoint });

  test('a batch fails → an error with type, typed details and what to do next', async () => {
    stage.api.scenarios.forNextBatch('failsOnFile');
    const run = await start();
    const error: unknown = await run.result().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(WorkflowFailedError);
    expect(error).toBeInstanceOf(JobFailedError);
    if (!(error instanceof JobFailedError && error.is('BatchFailed'))) throw error;
    const { batchId, errors } = error.details!;
    expect(errors.length).toBeGreaterThan(0);
    expect(error).toMatchObject({
      name: 'JobFailedError',
      workflowId: run.workflowId,
      type: 'BatchFailed',
      whatNext: expect.stringContaining('start again'),
      cause: { type: 'BatchFailed' },
    });
    expect(error.message).toContain(batchId);
    expect(error.is('ApiRefused')).toBe(false);
  });

  test('a run is terminated → the error of Temporal’s client', async () => {
    const run = await start();
    await run.handle.terminate('by a test');
    const error: unknown = await run.result().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(WorkflowFailedError);
    expect(error).not.toBeInstanceOf(JobFailedError);
  });

  test('a run that Temporal does not know → RunNotFoundError; the result of any run is in storage', async () => {
    const unknown = stage.jobs.batch(`removed-${stage.temporal.taskQueue}`);
    for (const ask of [() => unknown.result(), () => unknown.progress(), () => unknown.watch().next()]) {
      await expect(ask()).rejects.toThrow(RunNotFoundError);
    }
    const result = await (await start()).result();
    expect(await readManifest(stage.storage, result.batchId!)).toEqual({ kind: 'batch', result });
    expect(await readManifest(stage.storage, 'batch_of_nobody')).toBeNull();
  });

  test('watch → each change once, up to the end', async () => {
    const run = await start();
    const seen: string[] = [];
    for await (const { phase, status } of run.watch({ every: '50ms' })) seen.push(`${phase} ${status}`);
    expect(seen.at(-1)).toBe('done completed');
    expect(seen.length).toBeGreaterThan(1);
    expect(new Set(seen.slice(-2)).size).toBe(2);
    const again: string[] = [];
    for await (const { status } of run.watch()) again.push(status);
    expect(again).toEqual(['completed']);
  });

  /** A client that loses the first answer to a start, after Temporal has started the run. */
  function losingFirstAnswer(): { readonly jobs: LlmJobsClient; readonly starts: string[] } {
    const starts: string[] = [];
    const interceptor: WorkflowClientInterceptor = {
      async startWithDetails(input, next) {
        const started = await next(input);
        starts.push(input.options.workflowId);
        if (starts.length === 1) throw new ServiceError('Failed to start Workflow', { cause: UNAVAILABLE });
        return started;
      },
    };
    const { connection, options } = stage.temporal.client;
    const client = new Client({ connection, namespace: options.namespace, interceptors: { workflow: [interceptor] } });
    return { jobs: new LlmJobsClient(client, { taskQueue: stage.temporal.taskQueue }), starts };
  }

  test.each([undefined, 'named'])(
    'the answer to a start is lost (id %s) → started again as the same run',
    async (id) => {
      const { jobs, starts } = losingFirstAnswer();
      const options = id === undefined ? {} : { workflowId: `${id}-${stage.temporal.taskQueue}` };
      const run = await jobs.startBatch({ input: { requests: chatRequests(3) }, endpoint }, options);
      expect((await run.result()).status).toBe('completed');
      expect(starts).toEqual([run.workflowId, run.workflowId]);
      expect(stage.calls('batches.create')).toHaveLength(1);
    },
  );

  test('the answer to a start is lost, and no outage may be waited for → the error of the call', async () => {
    const { jobs } = losingFirstAnswer();
    const spec = { input: { requests: chatRequests(3) }, endpoint };
    await expect(jobs.startBatch(spec, { maxOutage: '0s' })).rejects.toThrow('Failed to start Workflow');
  });
});

/** What the client of gRPC throws while a server cannot be reached. */
const UNAVAILABLE = Object.assign(new Error('14 UNAVAILABLE'), { code: 14, details: 'no connection', metadata: {} });
