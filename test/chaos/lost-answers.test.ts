/**
 * Many concurrent creates whose answers are lost, on the dev server in real time: the clock of the API runs faster
 * instead.
 */
import { expect, test } from 'vitest';
import { scaledClock } from '../../src/testing/index.js';
import { endpoint, ownerOf } from '../support/runs.js';
import { chatExamples, chatRequests } from '../support/samples.js';
import { devServerStage } from '../support/stage.js';

const RUNS = Number(process.env.LLM_JOBS_LOST_ANSWERS ?? 40);
const SPEED = 600;

const stage = devServerStage({
  api: { clock: scaledClock(SPEED), seed: 7, batches: {} },
  poll: { min: '500ms', max: '1s' },
});

test(
  `create: ${RUNS} concurrently, answers lost at random → ${RUNS} jobs at the provider, none twice, none missing`,
  { timeout: 300_000 + RUNS * 2_000 },
  async () => {
    const { api, jobs } = stage;
    const creates = ['files.create', 'batches.create', 'fineTuning.create'] as const;
    const rules = [
      { effect: 'lostAnswer', probability: 0.4 },
      { effect: { kind: 'status', status: 503, handled: true }, probability: 0.1 },
      { effect: 'reset', probability: 0.15 },
    ] as const;
    const faults = creates.flatMap((on) => rules.map((rule) => api.faults.add({ on, times: Infinity, ...rule })));

    const input = { uri: await stage.write(chatRequests(5)) };
    const trainingFile = { uri: await stage.write(chatExamples(10)) };
    const workflowIds = Array.from({ length: RUNS }, (_, index) => `lost-${index}`);
    const statuses = await Promise.all(
      workflowIds.map(async (workflowId, index) => {
        const run =
          index % 2 === 0
            ? await jobs.startBatch({ input, endpoint }, { workflowId })
            : await jobs.startFineTuning({ model: 'gpt-4o-mini-2024-07-18', trainingFile }, { workflowId });
        return (await run.result()).status;
      }),
    );

    const owners = [...(await api.batches()), ...(await api.fineTuningJobs())].map(ownerOf);
    const names = (await api.files())
      .filter(({ purpose }) => purpose !== 'batch_output')
      .map(({ filename }) => filename);
    const inputs = names.filter((name) => name.startsWith('lost-'));
    const struck = faults.reduce((sum, { hits }) => sum + hits, 0);
    console.log(
      `${RUNS} creates, ${struck} answers lost or refused: ${owners.length} jobs, ${new Set(owners).size} distinct`,
    );

    expect(struck).toBeGreaterThan(RUNS / 2);
    expect(owners).toHaveLength(RUNS);
    expect(new Set(owners)).toEqual(new Set(workflowIds));
    expect(new Set(inputs).size).toBe(inputs.length);
    expect(new Set(statuses)).toEqual(new Set(['completed', 'succeeded']));
  },
);
