/** What people ask of a model is theirs: the worker's logs never hold a request's body, at any level. */
import { beforeAll, describe, expect, test } from 'vitest';
import { workerProcessStage } from '../support/stage.js';
import { endpoint } from '../support/runs.js';
import type { WorkerProcess } from '../../dev/stage/worker-process.js';
import { chatExample, chatRequest } from '../support/samples.js';

const MARKER = 'the-wording-of-a-request-6b1f';

describe('the log of the worker, with everything that it can tell', () => {
  const stage = workerProcessStage();
  let worker: WorkerProcess;
  beforeAll(async () => {
    worker = await stage.startWorker({ LLM_JOBS_LOG_LEVEL: 'TRACE' });
  });

  test('runs that succeed, are retried, refused and fail → nowhere a word of a request or an answer', async () => {
    const messages = [{ role: 'user', content: MARKER }];
    const requests = [0, 1, 2].map((index) => chatRequest(index, { messages }));
    const echo = { kind: 'status', status: 500, message: 'Something broke.' } as const;
    for (const on of ['files.create', 'batches.retrieve'] as const) {
      stage.api.faults.add({ on, effect: echo });
    }
    await (await stage.jobs.startBatch({ input: { requests }, endpoint })).result();

    const broken = [...requests, { ...chatRequest(0, { messages }), url: 7 }];
    const uri = await stage.write(broken);
    await expect((await stage.jobs.startBatch({ input: { uri }, endpoint })).result()).rejects.toThrow(/.*/);

    const examples = Array.from({ length: 12 }, (_, index) => ({
      messages: [...chatExample(index).messages, { role: 'assistant', content: MARKER, refusal: 4 }],
    }));
    const trainingFile = { uri: await stage.write(examples) };
    const tuning = await stage.jobs.startFineTuning({ model: 'gpt-4o-mini-2024-07-18', trainingFile });
    await tuning.result().catch(() => undefined);
    await worker.stop('SIGTERM');

    const log = worker.stdout() + worker.stderr();
    expect(log.length).toBeGreaterThan(1_000);
    expect(
      log
        .split(MARKER)
        .slice(0, -1)
        .map((before) => before.slice(-200)),
    ).toEqual([]);
  });
});
