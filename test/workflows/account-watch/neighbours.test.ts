/** Two task queues of a namespace, and one of another namespace, that share one account of the provider. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Client } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LlmJobsClient, type BatchRun } from '../../../src/client.js';
import { ManualClock } from '../../../src/testing/index.js';
import { stageActivities } from '../../../dev/stage/backend.js';
import { BATCH_TIMING, HOUR } from '../../../dev/stage/timing.js';
import { waitFor } from '../../../dev/stage/wait-for.js';
import { startWorker } from '../../../dev/stage/worker.js';
import { isWatchRunning, wakersOf, watchedJobs, type WatchedStage } from '../../support/account-watch.js';
import { endpoint } from '../../support/runs.js';
import { chatRequests } from '../../support/samples.js';
import { devServerStage } from '../../support/stage.js';

const clock = new ManualClock(Date.now());
const poll = { min: '150ms', max: '300ms' } as const;
/** The only one of the three whose watch cancels orphans. */
const stage = devServerStage({
  poll,
  watch: { mode: 'account', onOrphan: 'cancel' },
  api: { clock, batches: BATCH_TIMING },
});

interface Neighbour extends WatchedStage {
  readonly jobs: LlmJobsClient;
}
const namespace = `neighbour-${randomUUID()}`;
let otherQueue: Neighbour;
let otherNamespace: Neighbour;
const stops: (() => Promise<void>)[] = [];

/** @param name the identity of its worker */
async function neighbour(name: string, temporal: WatchedStage['temporal']): Promise<Neighbour> {
  const { client, taskQueue } = temporal;
  const target = { connection: stage.temporal.connection, namespace: client.options.namespace, taskQueue };
  const activities = stageActivities(stage.backend, { poll, watch: { mode: 'account' } });
  stops.push(await startWorker(target, activities, { identity: name }));
  return { temporal, jobs: new LlmJobsClient(client, { taskQueue }) };
}

async function clientOfNewNamespace(): Promise<Client> {
  const client = new Client({ connection: stage.temporal.client.connection, namespace });
  await client.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  const isKnown = () =>
    client.workflow.count().then(
      () => true,
      () => false,
    );
  await waitFor(isKnown, 'the namespace');
  return client;
}

beforeAll(async () => {
  const { client, taskQueue } = stage.temporal;
  otherQueue = await neighbour('other queue', { client, taskQueue: `${taskQueue}-other` });
  otherNamespace = await neighbour('other namespace', { client: await clientOfNewNamespace(), taskQueue });
});

afterAll(async () => {
  await Promise.all(stops.map((stop) => stop()));
});

/** Starts a run that is kept, and one that is terminated as soon as the watch knows the jobs of both. */
async function startTwo({ temporal, jobs }: Neighbour, keptId: string) {
  const spec = { input: { requests: chatRequests(3) }, endpoint };
  const kept = await jobs.startBatch(spec, { workflowId: keptId });
  const lost = await jobs.startBatch(spec);
  const jobOf = async (run: BatchRun) =>
    (await watchedJobs({ temporal })).find(({ workflowId }) => workflowId === run.workflowId)?.id;
  await waitFor(async () => Boolean((await jobOf(kept)) && (await jobOf(lost))), 'the watch to see both jobs');
  const two = { kept, keptJob: await jobOf(kept), lostJob: await jobOf(lost) };
  await lost.handle.terminate();
  await waitFor(async () => (await jobOf(lost)) === undefined, 'the watch to see the orphan');
  return two;
}

test('runs in two queues and two namespaces, one watch cancels orphans → its own, and each wakes only its own runs', async () => {
  const sharedId = `shared-${randomUUID()}`;
  const elsewhere = await Promise.all([
    startTwo(otherQueue, `kept-${randomUUID()}`),
    startTwo(otherNamespace, sharedId),
  ]);
  const here = await startTwo(stage, sharedId);
  const all = [here, ...elsewhere];
  await waitFor(() => stage.calls('batches.cancel').length > 0, 'the orphan to be cancelled');
  expect(stage.api.requests.filter(({ operation }) => operation === 'batches.cancel').map(({ id }) => id)).toEqual([
    here.lostJob,
  ]);
  const watched = await Promise.all([stage, otherQueue, otherNamespace].map(watchedJobs));
  expect(watched.map((jobs) => jobs.map(({ id }) => id))).toEqual(all.map(({ keptJob }) => [keptJob]));

  clock.advance(5 * HOUR);
  for (const { kept, keptJob } of all) {
    expect(await kept.result()).toMatchObject({ status: 'completed', batchId: keptJob, lines: { succeeded: 3 } });
  }
  const wakers = await Promise.all(all.map(async ({ kept }) => [...new Set(await wakersOf(kept.handle))]));
  expect(wakers).toEqual([[`${process.pid}@${hostname()}`], ['other queue'], ['other namespace']]);
  expect(stage.calls('batches.create')).toHaveLength(6);
  expect(stage.calls('batches.cancel')).toHaveLength(1);
  for (const one of [stage, otherQueue, otherNamespace]) {
    await waitFor(async () => !(await isWatchRunning(one)), 'the watch to end');
  }
});
