/** Runs that look at their jobs once an hour, and webhooks that tell them earlier. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { BatchRun } from '../../src/client.js';
import { webhookHandler, type HandledDelivery } from '../../src/webhooks.js';
import { startWebhookServer } from '../../src/worker/webhook-server.js';
import { waitFor } from '../../dev/stage/wait-for.js';
import { chatExamples, chatRequests } from '../support/samples.js';
import { devServerStage, workerProcessStage } from '../support/stage.js';
import { endpoint } from '../support/runs.js';
import { keyOf } from '../support/webhook-handling.js';
import { eventOf, OTHER_SECRET, SECRET, webhookRequest } from '../support/webhook-requests.js';

const HOURLY = { min: '1h', max: '1h' } as const;
const input = { requests: chatRequests(2) };

const jobOf = async (run: BatchRun) => {
  await waitFor(async () => (await run.progress()).jobId !== null, 'the job');
  return (await run.progress()).jobId!;
};

describe('the ready-made worker with a port for webhooks', () => {
  const stage = workerProcessStage();

  test('jobs end → their runs end within seconds, though they poll once an hour', async () => {
    const worker = await stage.startWorker({
      LLM_JOBS_WEBHOOK_PORT: '0',
      OPENAI_WEBHOOK_SECRET: `${OTHER_SECRET},${SECRET}`,
      // Without the watch of the account, nothing but a webhook tells a run in time.
      LLM_JOBS_WATCH: 'job',
      LLM_JOBS_POLL_MIN: '1h',
      LLM_JOBS_POLL_MAX: '1h',
    });
    const [, url = ''] = /^llm-jobs worker takes webhooks: (http:\S+)$/m.exec(worker.stdout()) ?? [];
    await stage.api.webhooks.add({ url, secret: SECRET });
    const batch = await stage.jobs.startBatch({ input, endpoint });
    const tuning = await stage.jobs.startFineTuning({
      model: 'gpt-4o-mini-2024-07-18',
      trainingFile: { uri: await stage.write(chatExamples(10)) },
    });
    expect((await batch.result()).lines.succeeded).toBe(2);
    expect((await tuning.result()).status).toBe('succeeded');
    expect(stage.api.webhooks.deliveries).toMatchObject([{ state: 'delivered' }, { state: 'delivered' }]);
    expect(await worker.stop('SIGTERM')).toBe(0);
    expect(`${worker.stdout()}${worker.stderr()}`).not.toMatch(/whsec_|c2VjcmV0|b3RoZXI/);
  });
});

describe('a webhook handler beside a worker', () => {
  const stage = devServerStage();
  const deliveries: HandledDelivery[] = [];
  let handle: ReturnType<typeof webhookHandler>;
  let server: Awaited<ReturnType<typeof startWebhookServer>>;
  beforeAll(async () => {
    const accounts = { temporal: stage.temporal.client, openai: stage.openai };
    handle = webhookHandler({ ...accounts, secrets: SECRET, onDelivery: (delivery) => void deliveries.push(delivery) });
    server = await startWebhookServer(
      { port: 0, host: '127.0.0.1' },
      {
        temporal: stage.temporal.client,
        accounts: [{ name: 'default', openai: stage.openai, secrets: SECRET }],
        warn: () => undefined,
      },
    );
    for (const url of server.urls) await stage.api.webhooks.add({ url, secret: SECRET });
  });
  afterAll(() => server.stop());
  beforeEach(() => {
    deliveries.length = 0;
    stage.api.webhooks.faults.clear();
  });

  const hourly = () => stage.jobs.startBatch({ input, endpoint, poll: HOURLY });

  test('ten batches end → every run ends, the slowest a second or two after its job', async () => {
    const runs = await Promise.all(Array.from({ length: 10 }, hourly));
    const results = await Promise.all(runs.map((run) => run.result()));
    expect(results.map(({ lines }) => lines.succeeded)).toEqual(runs.map(() => 2));
  });

  test('a batch cancelled, one that fails → their runs end as without webhooks', async () => {
    stage.api.scenarios.forNextBatch('failsValidation');
    const failing = await hourly();
    await expect(failing.result()).rejects.toMatchObject({ cause: { type: 'BatchFailed' } });
    stage.api.scenarios.forNextBatch({ timing: { inProgressMs: 3_600_000 } });
    const cancelled = await hourly();
    await jobOf(cancelled);
    await cancelled.cancel();
    expect((await cancelled.result()).status).toBe('cancelled');
  });

  test.each(['duplicate', 'reorder', 'badSignature', 'staleTimestamp', 'drop'] as const)(
    'the delivery: %s → the run has its result, at its own poll at the latest',
    async (effect) => {
      const fault = effect === 'reorder' ? ({ kind: 'reorder', atMostMs: 200 } as const) : effect;
      const rule = stage.api.webhooks.faults.add({ on: '*', times: 10, effect: fault });
      const run = await stage.jobs.startBatch({ input, endpoint, poll: { min: '200ms', max: '1s' } });
      expect((await run.result()).lines.succeeded).toBe(2);
      await waitFor(() => rule.hits > 0, 'the fault');
    },
  );

  test('of a job that has not ended, signed → its run looks at it, believes nothing and goes on', async () => {
    stage.api.scenarios.forNextBatch({ timing: { inProgressMs: 4_000 } });
    const run = await hourly();
    const jobId = await jobOf(run);
    expect((await handle(webhookRequest({ body: eventOf(jobId, 'batch.failed') }))).status).toBe(200);
    expect(deliveries).toMatchObject([{ handling: 'woken', jobId, workflowId: run.workflowId }]);
    expect((await run.result()).status).toBe('completed');
  });

  test('of a run that has ended → 200 ownerEnded', async () => {
    const run = await hourly();
    const { batchId } = await run.result();
    await handle(webhookRequest({ body: eventOf(batchId) }));
    expect(deliveries).toMatchObject([{ handling: 'ownerEnded', workflowId: run.workflowId }]);
  });

  test('of a job of another namespace and of another cluster → left alone', async () => {
    const { namespace } = stage.temporal;
    for (const metadata of [keyOf('theirs'), keyOf(namespace)]) {
      const file = await stage.openai.files.create({
        file: new File([JSON.stringify(chatRequests(1)[0])], 'x.jsonl'),
        purpose: 'batch',
      });
      const { id } = await stage.openai.batches.create({
        input_file_id: file.id,
        endpoint,
        completion_window: '24h',
        metadata,
      });
      await handle(webhookRequest({ body: eventOf(id, 'batch.completed') }));
    }
    expect(deliveries.map(({ handling }) => handling)).toEqual(['foreign', 'foreign']);
  });
});
