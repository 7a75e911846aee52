/** The commands that ask the provider. */
import { describe, expect, test, vi } from 'vitest';
import { waitFor } from '../../dev/stage/wait-for.js';
import { llmJobs, useVariablesOf } from '../support/commands.js';
import { endpoint } from '../support/runs.js';
import { chatRequests } from '../support/samples.js';
import { devServerStage } from '../support/stage.js';
import { webhookReceiver } from '../support/webhook-receiver.js';

describe('llm-jobs: commands that ask the provider', () => {
  const stage = devServerStage();

  useVariablesOf(stage, () => ({ OPENAI_API_KEY: stage.api.apiKey, OPENAI_BASE_URL: stage.api.url }));

  test('a run is terminated → orphans lists its batch, and cancels it only when told', async () => {
    stage.api.scenarios.forNextBatch({ timing: { validatingMs: 50, inProgressMs: 60_000, jitter: 0 } });
    const run = await stage.jobs.startBatch({ input: { requests: chatRequests(3) }, endpoint });
    await waitFor(async () => (await run.progress()).status === 'in_progress', 'the batch to be in progress');
    const { jobId } = await run.progress();
    const none = await llmJobs('orphans');
    expect(none.out.join()).not.toContain(jobId);
    await run.handle.terminate();
    const listed = await llmJobs('orphans');
    expect(listed.code).toBe(0);
    expect(listed.out).toContainEqual(
      expect.stringMatching(`^${jobId} +in_progress .* ${run.workflowId} +terminated$`),
    );
    expect(listed.err).toEqual([expect.stringContaining('Nothing was cancelled')]);
    expect((await stage.api.batches()).find(({ id }) => id === jobId)?.status).toBe('in_progress');
    const cancelled = await llmJobs('orphans', '--cancel', '--json');
    expect(JSON.parse(cancelled.out.join(''))).toContainEqual(expect.objectContaining({ jobId, isCancelled: true }));
  });

  test('webhooks setup, test and rotate → the secret once, and whether the endpoint accepts', async () => {
    await using receiver = await webhookReceiver();
    const { url } = receiver;
    receiver.answers.push(...Array.from({ length: 50 }, () => 204));
    const made = await llmJobs('webhooks', 'setup', url);
    expect(made.code).toBe(0);
    const [first = '', secret = ''] = made.out;
    expect(first).toMatch(/ was created$/);
    expect(secret).toMatch(/^OPENAI_WEBHOOK_SECRET=whsec_/);
    const id = first.split(' ')[0]!;
    expect((await llmJobs('webhooks', 'setup', url)).out).toEqual([`${id} was there before`]);
    expect(await llmJobs('webhooks', 'test', id)).toMatchObject({ code: 0, out: ['The endpoint answered 204'] });
    const rotated = await llmJobs('webhooks', 'rotate', id);
    expect(rotated.out).toEqual([expect.stringMatching(/^OPENAI_WEBHOOK_SECRET=whsec_/)]);
    expect(rotated.out).not.toEqual([secret]);
  });

  test('an endpoint that refuses its sample → exit code 5, and what to look at', async () => {
    await using receiver = await webhookReceiver();
    receiver.answers.push(...Array.from({ length: 50 }, () => 401));
    const { out } = await llmJobs('webhooks', 'setup', receiver.url, '--json');
    const { id } = JSON.parse(out.join('')) as { id: string };
    const { code, err } = await llmJobs('webhooks', 'test', id);
    expect({ code, err }).toMatchObject({ code: 5, err: [expect.stringContaining('not accepted'), expect.anything()] });
  });

  test.each([
    ['no key', { OPENAI_API_KEY: '' }, 1, /OPENAI_API_KEY: not set/],
    ['a wrong key', { OPENAI_API_KEY: 'sk-wrong-0123456789abcdef' }, 5, /401/],
    ['no provider at that address', { OPENAI_BASE_URL: 'http://127.0.0.1:1/v1' }, 3, /Connection/],
  ])('%s → the exit code, and no key in the message', async (_, environment, exitCode, reason) => {
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    const { code, err } = await llmJobs('webhooks', 'rotate', 'whep_1');
    expect(code).toBe(exitCode);
    expect(err[0]).toMatch(reason);
    expect(err.join()).not.toContain('0123456789abcdef');
  });
});
