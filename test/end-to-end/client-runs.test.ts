/** What application code sees of a run: how it goes on, and why it failed. */
import { WorkflowFailedError } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { JobFailedError } from '../../src/client.js';
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
});
