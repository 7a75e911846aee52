/**
 * Any value may be sent to a workflow as its argument or with a signal: it refuses or it runs, and its workflow tasks
 * never fail.
 */
import { randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { FAILURES } from '../../../src/index.js';
import { scaledClock } from '../../../src/testing/index.js';
import { HOUR_PER_SECOND } from '../../../dev/stage/timing.js';
import { anyJson, anyOf, fuzzRuns } from '../../support/fuzz.js';
import { endpoint } from '../../support/runs.js';
import { chatRequests } from '../../support/samples.js';
import { devServerStage } from '../../support/stage.js';

const RUNS = Math.ceil(fuzzRuns(200) / 4);
const CONCURRENT_RUNS = 10;

/** `WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND` */
const UNHANDLED_COMMAND = 1;
const KNOWN = new Set(['cancelled', 'completed', 'succeeded', ...Object.keys(FAILURES)]);

// On the time-skipping server, a signal races with an activity that is about to end.
const stage = devServerStage({
  api: { clock: scaledClock(HOUR_PER_SECOND), batches: {} },
  poll: { min: '50ms', max: '100ms' },
});

const goodBatch = { input: { requests: chatRequests(1) }, endpoint };
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

/** Any value at all, a spec with a few wrong fields, or one with unusual durations. */
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
  'spec: %s with any value as argument and with a signal → a known end, no workflow task failed',
  async (type, specs) => {
    const { client, taskQueue } = stage.temporal;
    const end = async ([spec, signal]: [unknown, unknown], index: number) => {
      const handle = await client.workflow.signalWithStart(type, {
        taskQueue,
        workflowId: `${type}-${randomUUID()}`,
        args: [spec],
        signal: index % 2 === 0 ? 'wake' : 'cancel',
        signalArgs: [signal],
      });
      // Every run ends: one that was not refused is cancelled.
      if (index % 2 === 0) await handle.signal('cancel', signal).catch(() => undefined);
      const ended = await handle.result().then(
        (result: { status?: unknown }) => String(result.status),
        (error: { cause?: { type?: unknown } }) => String(error.cause?.type),
      );
      const { events } = await handle.fetchHistory();
      // When a signal arrives while a run ends, the server repeats the task: that is not a failure of the workflow.
      const causes: number[] = (events ?? []).map((event) => event.workflowTaskFailedEventAttributes?.cause ?? 0);
      return { ended, failed: causes.filter((cause) => cause !== 0 && cause !== UNHANDLED_COMMAND) };
    };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(specs, anyJson), { minLength: CONCURRENT_RUNS, maxLength: CONCURRENT_RUNS }),
        async (inputs) => {
          const ends = await Promise.all(inputs.map(end));
          expect(ends.filter(({ ended, failed }) => !KNOWN.has(ended) || failed.length > 0)).toEqual([]);
        },
      ),
      { numRuns: Math.ceil(RUNS / CONCURRENT_RUNS), endOnFailure: true },
    );
  },
  300_000 + RUNS * 2_000,
);
