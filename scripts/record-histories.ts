/**
 * `npm run record:histories [-- name…]`: runs the scenarios of `test/replay/scenarios.ts` on a real server and saves
 * their histories in `test/histories`. Record new scenarios. Record an existing one again only if runs started by
 * earlier code need not be continued by the current code, since that is what its replay guarantees.
 */
import { readdir, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { NativeConnection } from '@temporalio/worker';
import { LlmJobsClient } from '../src/client.js';
import { scaledClock } from '../src/testing/index.js';
import { stageActivities, startBackend } from '../dev/stage/backend.js';
import { folderAt } from '../dev/stage/folder.js';
import { HOUR, HOUR_PER_SECOND, SHORT_JOBS } from '../dev/stage/timing.js';
import { startWorker } from '../dev/stage/worker.js';
import { startDevServer } from '../src/temporal-server/index.js';
import { SCENARIOS } from '../test/replay/scenarios.js';

const HISTORIES = new URL('../test/histories/', import.meta.url);
/** The same on every machine, since histories name it. */
const STORAGE = new URL('file:///tmp/llm-jobs-histories');
const TASK_QUEUE = 'llm-jobs';
const IDENTITY = 'recorder';

const selected = process.argv.slice(2);
const names = selected.length > 0 ? selected : Object.keys(SCENARIOS);

const server = await startDevServer({ existing: false, ui: false });
const backend = await startBackend(
  {
    clock: scaledClock(HOUR_PER_SECOND),
    batches: { ...SHORT_JOBS.batches, inProgressMs: HOUR },
    fineTuning: { ...SHORT_JOBS.fineTuning, runningMs: HOUR },
  },
  await folderAt(fileURLToPath(STORAGE)),
);
const connection = await Connection.connect(server.connectionOptions);
const native = await NativeConnection.connect(server.connectionOptions);
const stopWorker = await startWorker(
  { connection: native, namespace: server.namespace, taskQueue: TASK_QUEUE },
  stageActivities(backend, { poll: { min: '100ms', max: '200ms' } }),
  { identity: IDENTITY },
);

try {
  const client = new Client({ connection, identity: IDENTITY });
  for (const name of names) await record(name, new LlmJobsClient(client, { taskQueue: TASK_QUEUE }));
  if (selected.length === 0) await removeObsolete();
} finally {
  await stopWorker();
  await native.close();
  await connection.close();
  await backend.stop();
  await server.stop();
}

async function record(name: string, jobs: LlmJobsClient): Promise<void> {
  const scenario = SCENARIOS[name];
  if (!scenario) throw new Error(`unknown scenario "${name}"; the scenarios are ${Object.keys(SCENARIOS).join(', ')}`);
  const { api, folder } = backend;
  let files = 0;
  const { handle } = await scenario({
    jobs,
    api,
    write: (values) => folder.write(values, `${name}-${(files += 1)}.jsonl`),
  });
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
      if (typeof value === 'string' && /^recorder-[0-9a-f]{32}$/.test(value)) return IDENTITY;
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
