/**
 * `npm run record:histories [-- name…]`: runs the scenarios of `test/replay/scenarios.ts` on a real server and saves
 * their histories in `test/histories`. Record new scenarios. Record an existing one again only if runs started by
 * earlier code need not be continued by the current code, since that is what its replay guarantees.
 */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import OpenAI from 'openai';
import { startDevServer } from '../dev/temporal-server/index.js';
import { createActivities } from '../src/activities/index.js';
import { LlmJobsClient } from '../src/client.js';
import { LocalApi, scaledClock } from '../src/testing/index.js';
import { SCENARIOS, type Stage } from '../test/replay/scenarios.js';

const HISTORIES = new URL('../test/histories/', import.meta.url);
/** The same on every machine, since histories contain it. */
const STORAGE = new URL('file:///tmp/llm-jobs-histories/');
const TASK_QUEUE = 'llm-jobs';
const MINUTE_MS = 60_000;
const WAIT_LIMIT_MS = 20_000;

const selected = process.argv.slice(2);
const names = selected.length > 0 ? selected : Object.keys(SCENARIOS);

Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
await mkdir(STORAGE, { recursive: true });
await mkdir(HISTORIES, { recursive: true });
const server = await startDevServer({ existing: false, ui: false });
const api = await LocalApi.start({
  clock: scaledClock(3_600),
  batches: {
    validatingMs: 20 * MINUTE_MS,
    inProgressMs: 60 * MINUTE_MS,
    finalizingMs: 20 * MINUTE_MS,
    cancellingMs: 20 * MINUTE_MS,
    jitter: 0,
  },
  fineTuning: { validatingMs: 20 * MINUTE_MS, queuedMs: 20 * MINUTE_MS, runningMs: 60 * MINUTE_MS, jitter: 0 },
});
const connection = await Connection.connect(server.connectionOptions);
const native = await NativeConnection.connect(server.connectionOptions);
const worker = await Worker.create({
  connection: native,
  taskQueue: TASK_QUEUE,
  identity: 'recorder',
  workflowBundle: { codePath: fileURLToPath(new URL('../dist/workflow-bundle.cjs', import.meta.url)) },
  activities: createActivities({
    providers: { default: { client: new OpenAI({ apiKey: api.apiKey, baseURL: api.url, logLevel: 'off' }) } },
    storage: [STORAGE.href],
    poll: { min: '100ms', max: '200ms' },
  }),
});

try {
  await worker.runUntil(async () => {
    const client = new Client({ connection, identity: 'recorder' });
    for (const name of names) await record(name, new LlmJobsClient(client, { taskQueue: TASK_QUEUE }));
  });
  if (selected.length === 0) await removeObsolete();
} finally {
  await native.close();
  await connection.close();
  await api.close();
  await server.stop();
  await rm(STORAGE, { recursive: true, force: true });
}

async function record(name: string, jobs: LlmJobsClient): Promise<void> {
  const scenario = SCENARIOS[name];
  if (!scenario) throw new Error(`unknown scenario "${name}"; the scenarios are ${Object.keys(SCENARIOS).join(', ')}`);
  let files = 0;
  const stage: Stage = {
    jobs,
    api,
    write: async (values) => {
      const uri = new URL(`${name}-${(files += 1)}.jsonl`, STORAGE);
      await writeFile(uri, values.map((value) => `${JSON.stringify(value)}\n`).join(''));
      return uri.href;
    },
    until: async (condition) => {
      const deadline = Date.now() + WAIT_LIMIT_MS;
      while (!(await condition())) {
        if (Date.now() > deadline) throw new Error(`${name}: timed out after ${WAIT_LIMIT_MS / 1_000} s`);
        await sleep(20);
      }
    },
  };
  const { handle } = await scenario(stage);
  await handle.result().catch(() => undefined);
  const events = await eventsOf(handle);
  await writeFile(new URL(`${name}.json`, HISTORIES), `{"events":[\n${events.join(',\n')}\n]}\n`);
  const { status } = await handle.describe();
  console.log(`${name}: ${events.length} events, ${status.name.toLowerCase()}`);
  api.faults.clear();
  api.scenarios.clear();
}

/** One line per event, without what differs between machines. */
async function eventsOf(handle: WorkflowHandle): Promise<string[]> {
  const { events } = JSON.parse(historyToJSON(await handle.fetchHistory())) as { events: unknown[] };
  return events.map((event) =>
    JSON.stringify(event, (key, value: unknown) => {
      if (key === 'stackTrace') return undefined;
      // The worker's sticky queue.
      if (typeof value === 'string' && /^recorder-[0-9a-f]{32}$/.test(value)) return 'recorder';
      return value;
    }),
  );
}

/** Deletes the histories of scenarios that no longer exist. */
async function removeObsolete(): Promise<void> {
  for (const file of await readdir(HISTORIES)) {
    const isObsolete = file.endsWith('.json') && !Object.hasOwn(SCENARIOS, file.slice(0, -'.json'.length));
    if (isObsolete) await rm(new URL(file, HISTORIES));
  }
}
