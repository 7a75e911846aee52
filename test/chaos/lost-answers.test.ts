/** Many creates at once whose answers get lost, on the dev server in real time: the provider's clock runs faster instead. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import OpenAI from 'openai';
import { expect, test } from 'vitest';
import { createActivities } from '../../src/activities/index.js';
import { LlmJobsClient } from '../../src/client.js';
import { JOB_KEY, jobOwnerOf } from '../../src/index.js';
import { LocalApi, scaledClock } from '../../src/testing/index.js';
import { devServer, withWorker } from '../support/temporal.js';
import { writeJsonl } from '../support/jsonl-file.js';
import { chatExamples, chatRequests } from '../support/samples.js';

const RUNS = Number(process.env.LLM_JOBS_LOST_ANSWERS ?? 40);
const SPEED = 600;

const temporal = devServer();

test(
  `create: ${RUNS} at once, answers lost at random → ${RUNS} jobs at the provider, none twice, none missing`,
  { timeout: 60_000 + RUNS * 1_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'llm-jobs-lost-'));
    await using api = await LocalApi.start({ clock: scaledClock(SPEED), seed: 7 });
    const creates = ['files.create', 'batches.create', 'fineTuning.create'] as const;
    const rules = [
      { effect: 'lostAnswer', probability: 0.4 },
      { effect: { kind: 'status', status: 503, handled: true }, probability: 0.1 },
      { effect: 'reset', probability: 0.15 },
    ] as const;
    const faults = creates.flatMap((on) => rules.map((rule) => api.faults.add({ on, times: Infinity, ...rule })));

    const uri = await writeJsonl(folder, chatRequests(5));
    const trainingFile = { uri: await writeJsonl(folder, chatExamples(10)) };
    const activities = createActivities({
      providers: { default: { client: new OpenAI({ apiKey: api.apiKey, baseURL: api.url, logLevel: 'off' }) } },
      storage: [pathToFileURL(`${folder}/`).href],
      poll: { min: '500ms', max: '1s' },
    });
    const statuses = await withWorker(temporal, { activities }, () => {
      const jobs = new LlmJobsClient(temporal.client, { taskQueue: temporal.taskQueue });
      return Promise.all(
        Array.from({ length: RUNS }, async (_, index) => {
          const workflowId = `lost-${index}`;
          const run =
            index % 2 === 0
              ? await jobs.startBatch({ input: { uri }, endpoint: '/v1/chat/completions' }, { workflowId })
              : await jobs.startFineTuning({ model: 'gpt-4o-mini-2024-07-18', trainingFile }, { workflowId });
          return (await run.result()).status;
        }),
      );
    });

    const made = [...(await api.batches()), ...(await api.fineTuningJobs())];
    const owners = made.map(
      ({ metadata }) => jobOwnerOf((metadata as Record<string, string>)[JOB_KEY] ?? '')?.workflowId,
    );
    const names = (await api.files())
      .filter(({ purpose }) => purpose !== 'batch_output')
      .map(({ filename }) => filename);
    const inputs = names.filter((name) => name.startsWith('lost-'));
    const lost = faults.reduce((sum, { hits }) => sum + hits, 0);
    console.log(
      `${RUNS} creates, ${lost} answers lost or refused: ${made.length} jobs, ${new Set(owners).size} distinct`,
    );

    expect(lost).toBeGreaterThan(RUNS / 2);
    expect(owners).toHaveLength(RUNS);
    expect(new Set(owners)).toEqual(new Set(Array.from({ length: RUNS }, (_, index) => `lost-${index}`)));
    expect(new Set(inputs).size).toBe(inputs.length);
    expect(new Set(statuses)).toEqual(new Set(['completed', 'succeeded']));
    await rm(folder, { recursive: true, force: true });
  },
);
