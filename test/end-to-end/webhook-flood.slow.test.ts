/** Thousands of forged webhooks at a real worker, and genuine ones among them. It takes all processors for a while. */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { chatRequests } from '../support/samples.js';
import { endpoint } from '../support/runs.js';
import { workerProcessStage } from '../support/stage.js';
import { flood } from '../support/webhook-flood.js';
import { SECRET } from '../support/webhook-requests.js';

const FORGED = 10_000;
const MB = 2 ** 20;
/** What the worker may take more than before. The bodies of the forged webhooks have 300 MB. */
const MORE_MEMORY = 200 * MB;

const stage = workerProcessStage();

/** The memory of a process; zero where the system does not tell it. */
async function memoryOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1_024;
}

/** The settings of a worker whose runs end in time by webhooks alone. */
const BY_WEBHOOKS = {
  LLM_JOBS_WEBHOOK_PORT: '0',
  OPENAI_WEBHOOK_SECRET: SECRET,
  LLM_JOBS_WATCH: 'job',
  LLM_JOBS_POLL_MIN: '1h',
  LLM_JOBS_POLL_MAX: '1h',
};

test('10,000 forged webhooks → none is accepted; genuine ones among them are, at once; memory stays bounded', async () => {
  const worker = await stage.startWorker(BY_WEBHOOKS);
  const [, url = ''] = /^llm-jobs worker takes webhooks: (http:\S+)$/m.exec(worker.stdout()) ?? [];
  await stage.api.webhooks.add({ url, secret: SECRET });
  const before = await memoryOf(worker.pid);
  let isOver = false;
  const flooding = flood(url, FORGED, () => isOver);
  const runs = await Promise.all(
    Array.from({ length: 5 }, () => stage.jobs.startBatch({ input: { requests: chatRequests(2) }, endpoint })),
  );
  const results = await Promise.all(runs.map((run) => run.result()));
  isOver = true;
  const answers = await flooding;
  const more = (await memoryOf(worker.pid)) - before;

  expect(Object.keys(answers)).toEqual(['401']);
  expect(answers['401']).toBeGreaterThanOrEqual(FORGED);
  expect(results.map(({ lines }) => lines.succeeded)).toEqual(runs.map(() => 2));
  // One attempt each: the provider, which waits for 15 s, did not give up.
  const deliveries = runs.map(() => ({ state: 'delivered', attempts: [{ status: 200 }] }));
  expect(stage.api.webhooks.deliveries).toMatchObject(deliveries);
  expect(more).toBeLessThan(MORE_MEMORY);
  // One warning a minute, whatever comes.
  expect(worker.stderr().match(/a webhook was not accepted/g)?.length).toBeLessThan(5);
  expect(await worker.stop('SIGTERM')).toBe(0);
});
