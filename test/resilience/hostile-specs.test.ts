/** Anything may be sent to a workflow as its argument or its signal: it refuses, or it runs, and its workflow tasks never fail. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as fc from 'fast-check';
import OpenAI from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createActivities } from '../../src/activities/index.js';
import { FAILURES } from '../../src/index.js';
import { anyJson, anyOf } from '../support/hostile-values.js';
import { LocalApi, scaledClock } from '../../src/testing/index.js';
import { devServer, startWorker } from '../support/temporal.js';
import { chatRequests } from '../support/samples.js';

const RUNS = Math.ceil(Number(process.env.LLM_JOBS_FUZZ_RUNS ?? 200) / 4);
const AT_ONCE = 10;

/** `WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND` */
const UNHANDLED_COMMAND = 1;
const KNOWN = new Set(['cancelled', 'completed', 'succeeded', ...Object.keys(FAILURES)]);

// The time-skipping server has races of its own when a signal meets an activity that is about to end.
const temporal = devServer();
let api: LocalApi;
let folder: string;
let stopWorker: () => Promise<void>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'llm-jobs-specs-'));
  api = await LocalApi.start({ clock: scaledClock(3_600) });
  const client = new OpenAI({ apiKey: api.apiKey, baseURL: api.url, logLevel: 'off' });
  stopWorker = await startWorker(
    temporal,
    createActivities({
      providers: { default: { client } },
      storage: [pathToFileURL(`${folder}/`).href],
      poll: { min: '50ms', max: '100ms' },
    }),
  );
});
afterAll(async () => {
  await stopWorker();
  await api.close();
  await rm(folder, { recursive: true, force: true });
});

const goodBatch = { input: { requests: chatRequests(1) }, endpoint: '/v1/chat/completions' };
const goodJob = { model: 'gpt-4o-mini-2024-07-18', trainingFile: { fileId: 'file-none' } };
const common = ['metadata', 'outputUri', 'deadline', 'provider', 'poll', 'vanishedAfter', 'stuckAfter', 'cleanup'];
const duration = fc.oneof(
  fc.constantFrom<unknown>('0', '1ms', '9999y', '3650d', '1e9d', 1e300, -1, 0, '24h', 100_000_000_000, 99_999_999_999),
  anyJson,
);
const durations = fc.record(
  {
    deadline: duration,
    vanishedAfter: duration,
    stuckAfter: duration,
    poll: fc.record({ min: duration, max: duration }),
  },
  { requiredKeys: [] },
);

/** What may come: anything at all, a spec with a few wrong fields, one with odd durations. */
const hostile = (good: object, keys: readonly string[]) =>
  fc.oneof(
    anyJson,
    anyOf([...keys, ...common]),
    fc.tuple(anyOf([...keys, ...common]), fc.nat(2)).map(([fields, count]) => {
      const few = Object.fromEntries(Object.entries(fields).slice(0, count));
      return { ...good, ...few };
    }),
    durations.map((fields) => ({ ...good, ...fields })),
  );

test.each([
  ['runBatch', hostile(goodBatch, ['input', 'endpoint', 'completionWindow', 'outputExpiresAfter'])],
  [
    'runFineTuning',
    hostile(goodJob, ['model', 'trainingFile', 'validationFile', 'method', 'suffix', 'seed', 'integrations']),
  ],
])(
  'spec: %s with anything for an argument and for a signal → a known end, no workflow task failed',
  async (type, specs) => {
    const { client, taskQueue } = temporal;
    const end = async ([spec, signal]: [unknown, unknown], index: number) => {
      const handle = await client.workflow.signalWithStart(type, {
        taskQueue,
        workflowId: `${type}-${randomUUID()}`,
        args: [spec],
        signal: index % 2 === 0 ? 'wake' : 'cancel',
        signalArgs: [signal],
      });
      // Whatever it is, it ends: what runs is cancelled.
      if (index % 2 === 0) await handle.signal('cancel', signal).catch(() => undefined);
      const ended = await handle.result().then(
        (result: { status?: unknown }) => String(result.status),
        (error: { cause?: { type?: unknown } }) => String(error.cause?.type),
      );
      const { events } = await handle.fetchHistory();
      // A signal that comes while a run ends makes the server ask once more: that is how it should be.
      const causes: number[] = (events ?? []).map((event) => event.workflowTaskFailedEventAttributes?.cause ?? 0);
      return { ended, failed: causes.filter((cause) => cause !== 0 && cause !== UNHANDLED_COMMAND) };
    };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(specs, anyJson), { minLength: AT_ONCE, maxLength: AT_ONCE }),
        async (inputs) => {
          const ends = await Promise.all(inputs.map(end));
          expect(ends.filter(({ ended, failed }) => !KNOWN.has(ended) || failed.length > 0)).toEqual([]);
        },
      ),
      { numRuns: Math.ceil(RUNS / AT_ONCE), endOnFailure: true },
    );
  },
  60_000 + RUNS * 1_000,
);
