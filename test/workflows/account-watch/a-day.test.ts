/** A job that lasts a day and whose run sleeps, in the time of the time-skipping server. */
import { beforeEach, describe, expect, test } from 'vitest';
import { accountWatchId } from '../../../src/contract/account-watch.js';
import type { WireBatch } from '../../../src/testing/index.js';
import { HOUR, MINUTE } from '../../../dev/stage/timing.js';
import { chatRequests } from '../../support/samples.js';
import { timeSkippingStage } from '../../support/stage.js';
import { endpoint, historyLength } from '../../support/runs.js';

/**
 * Hours, below the interval of the net. Sweeps are at most 2.4 h apart; the server's time may also skip while several runs
 * are about to look.
 */
const LATE = 5;
/** Hours, for a job that is alone. */
const SWEEP = 2.5;

describe('a day under the watch of an account', () => {
  const stage = timeSkippingStage({ watch: { mode: 'account' }, poll: { min: '20m', max: '2h' } });
  const watch = () => stage.temporal.client.workflow.getHandle(accountWatchId(stage.temporal.taskQueue, 'default'));

  beforeEach(() => {
    stage.api.faults.clear();
  });

  async function startDay() {
    const timing = { validatingMs: MINUTE, inProgressMs: 22 * HOUR, finalizingMs: 30 * MINUTE, jitter: 0 };
    stage.api.scenarios.forNextBatch({ timing });
    return stage.jobs.startBatch({ input: { requests: chatRequests(3) }, endpoint });
  }

  /** So many that the list is read, not each job. */
  const startDays = () => Promise.all([1, 2, 3].map(startDay));

  /** What the list of batches says from now on. */
  function list(change: (batches: WireBatch[]) => WireBatch[]) {
    const changed = (body: unknown) => ({ ...(body as object), data: change((body as { data: WireBatch[] }).data) });
    stage.api.faults.add({ on: 'batches.list', times: Infinity, effect: { kind: 'mutate', change: changed } });
  }

  /** Hours from the end of the batch until the run had its result. */
  async function hoursLate(run: Awaited<ReturnType<typeof startDay>>): Promise<number> {
    const { status, timestamps } = await run.result();
    expect(status).toBe('completed');
    const { closeTime } = await run.handle.describe();
    return (closeTime!.getTime() / 1_000 - timestamps.endedAt!) / 3_600;
  }

  async function mostHoursLate(runs: Awaited<ReturnType<typeof startDays>>): Promise<number> {
    const hours: number[] = [];
    for (const run of runs) hours.push(await hoursLate(run));
    return Math.max(...hours);
  }

  test('an honest list → few events and reads of the batch, seen at the next sweep', async () => {
    const runs = await startDays();
    expect(await mostHoursLate(runs)).toBeLessThan(LATE);
    // 50 as a rule; a hint that comes while the run looks, or a check before the first sweep, adds ten.
    for (const run of runs) expect(await historyLength(run.handle)).toBeLessThanOrEqual(100);
    expect(stage.calls('fineTuning.list').length).toBeLessThanOrEqual(3);
  });

  test('a single batch → it is read at each sweep, and its list now and then', async () => {
    expect(await hoursLate(await startDay())).toBeLessThan(SWEEP);
    expect(stage.calls('batches.list').length).toBeLessThanOrEqual(30);
  });

  test('progress while the run sleeps → the counts that the watch saw last', async () => {
    const run = await startDay();
    await stage.pass('12h');
    const { counts, lastCheckedAt, status, watchedBy } = await run.progress();
    expect({ status, watchedBy }).toEqual({ status: 'in_progress', watchedBy: watch().workflowId });
    expect(counts.completed).toBeGreaterThan(0);
    const now = (await stage.temporal.env.currentTimeMs()) / 1_000;
    expect(now - lastCheckedAt!).toBeLessThan(3 * 3_600);
    expect((await run.look()).counts.completed).toBeGreaterThan(0);
    await run.result();
  });

  test.each<[string, (batches: WireBatch[]) => WireBatch[]]>([
    ['never shows the job', () => []],
    ['shows the job twice, once as it was at first', (batches) => [...batches, ...batches.map(asAtFirst)]],
    ['shows the first state first', (batches) => [...batches.map(asAtFirst), ...batches]],
    ['drops the metadata', (batches) => batches.map((batch) => ({ ...batch, metadata: {} }))],
  ])('a list that %s → seen at the next sweep', async (_, change) => {
    list(change);
    expect(await mostHoursLate(await startDays())).toBeLessThan(LATE);
  });

  test('a list that shows all batches as they were at first → they are read one by one', async () => {
    list((batches) => batches.map(asAtFirst));
    expect(await mostHoursLate(await startDays())).toBeLessThan(LATE);
  });

  test('a list that shows an end too early → the run reads its job and goes on', async () => {
    list((batches) => batches.map((batch) => ({ ...batch, status: 'completed' as const })));
    expect(await mostHoursLate(await startDays())).toBeLessThan(LATE);
  });

  test('a provider without fine-tuning jobs → its batches are watched as others are', async () => {
    // What an earlier watch saw of the lists is forgotten by then.
    await stage.pass('7h');
    stage.api.faults.add({ on: 'fineTuning.list', times: Infinity, effect: { kind: 'status', status: 404 } });
    const run = await startDay();
    await stage.pass('1h');
    const { status, counts } = await run.progress();
    expect([status, counts.total]).toEqual(['in_progress', 3]);
    expect(stage.calls('fineTuning.list')).toHaveLength(1);
    expect(await hoursLate(run)).toBeLessThan(SWEEP);
  });

  test('a list that is refused → the known jobs are read one by one', async () => {
    stage.api.faults.add({ on: 'batches.list', times: Infinity, effect: { kind: 'status', status: 403 } });
    expect(await mostHoursLate(await startDays())).toBeLessThan(LATE);
  });

  test('the watch is terminated → within the interval of the net the run starts it again', async () => {
    const run = await startDay();
    await stage.pass('1h');
    await watch().terminate();
    expect(await hoursLate(run)).toBeLessThan(SWEEP);
    await stage.pass('3h');
    expect((await watch().describe()).status.name).toBe('COMPLETED');
  });
});

const asAtFirst = (batch: WireBatch): WireBatch => ({ ...batch, status: 'validating' });
