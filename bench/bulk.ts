/**
 * `npm run bench:bulk -- --requests 1000000 --faults`: a bulk batch end to end on a real dev server, with the local API
 * and the worker in separate processes. Prints the result, the time it took, and the worker's peak memory.
 */
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { spawnWorker, workerVariables } from '../dev/stage/worker-process.js';
import { startDevServer } from '../src/temporal-server/index.js';
import { LlmJobsClient } from '../src/client.js';
import { forkScript } from './child.js';
import { bulkHistory } from './histories.js';
import { cpuSeconds, peakBytes } from './proc.js';
import { writeRequests } from './requests.js';

const TASK_QUEUE = 'llm-jobs';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '1000000' },
    faults: { type: 'boolean', default: false },
    /** One batch by `runBatch` instead of a bulk batch. */
    single: { type: 'boolean', default: false },
    /** The API completes a batch immediately. */
    'at-once': { type: 'boolean', default: false },
    /** How long the API takes for a batch, in milliseconds. */
    'in-progress': { type: 'string', default: '400' },
    parallel: { type: 'string', default: '4' },
    part: { type: 'string', default: '50000' },
  },
});
const count = Number(values.requests);
const folder = join(tmpdir(), 'llm-jobs-bench');
const results = join(folder, `results-${process.pid}`);
await mkdir(results, { recursive: true });
const input = join(folder, `requests-${count}.jsonl`);
await writeRequests(input, count);

const server = await startDevServer({ existing: false, ui: false });
const { process: api, ready } = await forkScript<{ url: string; apiKey: string }>('local-api.ts', [
  `--in-progress=${values['in-progress']}`,
  ...(['faults', 'at-once'] as const).flatMap((flag) => (values[flag] ? [`--${flag}`] : [])),
]);
const worker = spawnWorker({
  ...workerVariables({
    address: server.address,
    namespace: server.namespace,
    taskQueue: TASK_QUEUE,
    roots: [pathToFileURL(`${folder}/`).href],
    api: ready,
  }),
  // As the README advises for a small worker: freed buffers are returned to the system immediately.
  MALLOC_MMAP_THRESHOLD_: '65536',
  LLM_JOBS_POLL_MIN: values['at-once'] ? '100ms' : '500ms',
  LLM_JOBS_POLL_MAX: '2s',
  LLM_JOBS_CREATES_PER_HOUR: '100000',
  LLM_JOBS_LOG_LEVEL: 'ERROR',
});
await worker.ready();
console.error(`worker at rest: ${await peakMB()} MB`);

const connection = await Connection.connect({ address: server.address });
try {
  const client = new Client({ connection, namespace: server.namespace });
  const jobs = new LlmJobsClient(client, { taskQueue: TASK_QUEUE });
  const before = await cpuSeconds(worker.pid);
  const began = performance.now();
  const files = { input: { uri: pathToFileURL(input).href }, outputUri: pathToFileURL(`${results}/`).href };
  const run = values.single
    ? await jobs.startBatch({ ...files, endpoint: '/v1/chat/completions' })
    : await jobs.startBulkBatch({
        ...files,
        maxParallel: Number(values.parallel),
        split: { requests: Number(values.part) },
        maxRounds: 6,
        // What the local API leaves out never comes.
        settleFor: '1s',
        retry: { undelivered: true },
      });
  const firstRunId = (await run.handle.describe()).runId;
  const result = await run.result();
  const seconds = (performance.now() - began) / 1_000;
  const cpu = (await cpuSeconds(worker.pid)) - before;
  const peak = await peakMB();
  // The results of a single batch are in the provider's order, which is arbitrary.
  const order = values.single ? null : await checkOrder(fileURLToPath(result.output!.uri), count);
  api.send('report');
  const [provider] = (await once(api, 'message')) as [unknown];
  const { lines, warnings } = result;
  const bulk =
    'rounds' in result
      ? {
          rounds: result.rounds,
          batches: result.batches,
          history: await bulkHistory(client, run.workflowId, firstRunId),
        }
      : {};
  console.log(
    JSON.stringify(
      { count, seconds, workerCpuSeconds: cpu, workerPeakMB: peak, lines, ...bulk, order, provider, warnings },
      null,
      2,
    ),
  );
  if (order?.isRight === false || lines.succeeded !== count) process.exitCode = 1;
} finally {
  await connection.close();
  await worker.stop('SIGTERM');
  process.stderr.write(worker.stderr());
  api.disconnect();
  await server.stop();
  await rm(results, { recursive: true, force: true });
}

/** The worker's peak resident memory, or 0 if it is not counted. */
async function peakMB(): Promise<number> {
  return Math.round((await peakBytes(worker.pid)) / 1_024 ** 2);
}

/** Checks that the output has every request exactly once, in input order. */
async function checkOrder(path: string, expected: number): Promise<{ isRight: boolean; lines: number }> {
  let lines = 0;
  let isRight = true;
  for await (const line of createInterface({ input: createReadStream(path) })) {
    if (/"custom_id":\s*"request-(\d+)"/.exec(line)?.[1] !== String(lines)) isRight = false;
    lines += 1;
  }
  return { isRight: isRight && lines === expected, lines };
}
