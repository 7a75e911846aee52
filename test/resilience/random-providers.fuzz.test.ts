/**
 * Whole lifecycles at random providers: late, short, refusing, losing answers and metadata, renaming ids, counting
 * wrong. What the provider gave out is kept, requests are bought as often as the rules allow, and nothing is deleted
 * unread.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import * as fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import type { BatchRun } from '../../src/client.js';
import type { BatchResult, BulkBatchResult, BulkBatchSpec } from '../../src/index.js';
import {
  FAULT_EFFECTS,
  type BatchScenario,
  type FaultEffect,
  type FaultName,
  type Operation,
} from '../../src/testing/index.js';
import { HOUR, MINUTE } from '../../dev/stage/timing.js';
import { fuzzRuns } from '../support/fuzz.js';
import { endpoint, idsOf, readLines, totalOf } from '../support/runs.js';
import { chatRequest } from '../support/samples.js';
import { timeSkippingStage } from '../support/stage.js';

const RUNS = fuzzRuns(3);
const LINES = 6;

const stage = timeSkippingStage({
  providers: { bare: { metadata: false } },
  api: { batches: { validatingMs: MINUTE, inProgressMs: HOUR, finalizingMs: MINUTE, cancellingMs: MINUTE, jitter: 0 } },
});
afterEach(() => {
  stage.api.faults.clear();
  stage.api.scenarios.clear();
});

const status = (code: number, more: object = {}): FaultEffect => ({ kind: 'status', status: code, ...more });
const PASSING = [FAULT_EFFECTS.rateLimited, status(500), FAULT_EFFECTS.badGateway, FAULT_EFFECTS.reset] as const;
const LOST = [FAULT_EFFECTS.lostAnswer, status(503, { handled: true }), FAULT_EFFECTS.cutBody] as const;
const REFUSING = [status(400), status(401), status(403), status(405), FAULT_EFFECTS.quotaExceeded] as const;
const UNREADABLE = [FAULT_EFFECTS.htmlPage, FAULT_EFFECTS.emptyObject, FAULT_EFFECTS.cutBody] as const;
const DAMAGED = [{ kind: 'html', status: 200 }, status(404), status(410), { kind: 'cutBody', silent: true }] as const;

/** What may happen to the requests of each operation, so that the run must nevertheless end well. */
const EFFECTS: Partial<Record<Operation, readonly (FaultEffect | FaultName)[]>> = {
  'files.create': [...PASSING, ...LOST],
  'batches.create': [...PASSING, ...LOST, FAULT_EFFECTS.emptyObject, 'hidden'],
  'batches.list': [...PASSING, FAULT_EFFECTS.cutBody],
  'batches.retrieve': [...PASSING, ...REFUSING, ...UNREADABLE, 'notFound'],
  'batches.cancel': [...PASSING, ...REFUSING, ...LOST],
  'files.content': [...PASSING, ...REFUSING, ...DAMAGED, FAULT_EFFECTS.cutBody],
  'files.delete': [...PASSING, ...REFUSING],
};

const OPERATIONS = Object.keys(EFFECTS) as Operation[];
const fault = fc.constantFrom(...OPERATIONS).chain((on) =>
  fc.record({
    on: fc.constant(on),
    effect: fc.constantFrom(...(EFFECTS[on] ?? [])),
    times: fc.integer({ min: 1, max: 3 }),
  }),
);

/** What `user` asks the local API to do with a request, with the name in `retry` under which it may be bought again. */
const LINE_KINDS = {
  good: null,
  'null-error': null,
  'no-wrapper': null,
  'error-in-200': 'failed',
  'status=500': 'failed',
  'status=429': 'failed',
  'status=400': null,
  'null-body': null,
  truncated: 'truncated',
  refusal: 'refused',
  'content-filter': 'filtered',
  missing: 'undelivered',
  malformed: 'unreadable',
  'unknown-id': 'unreadable',
  'null-id': 'unreadable',
  duplicate: null,
} as const satisfies Record<string, keyof NonNullable<BulkBatchSpec['retry']> | null>;
type LineKind = keyof typeof LINE_KINDS;

const lineKind = fc.oneof(
  { weight: 2, arbitrary: fc.constant<LineKind>('good') },
  { weight: 1, arbitrary: fc.constantFrom(...(Object.keys(LINE_KINDS) as LineKind[])) },
);

const COUNTS = {
  right: undefined,
  none: () => null,
  tooMany: ({ total, failed }) => ({ total, failed, completed: total + 1 }),
  tooFew: ({ total, failed }) => ({ total, failed, completed: 0 }),
} as const satisfies Record<string, BatchScenario['counts']>;
type Counts = keyof typeof COUNTS;

const provider = fc.record({
  name: fc.constantFrom('default', 'bare'),
  faults: fc.array(fault, { maxLength: 4 }),
  lines: fc.array(lineKind, { minLength: LINES, maxLength: LINES }),
  counts: fc.oneof(
    { weight: 2, arbitrary: fc.constant<Counts>('right') },
    fc.constantFrom(...(Object.keys(COUNTS) as Counts[])),
  ),
  dropsMetadata: fc.boolean(),
  staleReads: fc.integer({ min: 0, max: 2 }),
  /** The provider takes so long that part of the requests expire, or that all of them do. */
  expires: fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, fc.constantFrom('partly', 'empty')),
});
type Provider = typeof provider extends fc.Arbitrary<infer T> ? T : never;

const EXPIRING = { partly: 60 * HOUR, empty: 1e9 * HOUR };

function arrange({ faults, counts, dropsMetadata, staleReads, expires }: Provider): void {
  stage.api.faults.clear();
  stage.api.scenarios.clear();
  const scenario: BatchScenario = {
    staleReads,
    ...(COUNTS[counts] && { counts: COUNTS[counts] }),
    ...(dropsMetadata && { show: (batch) => ({ ...batch, metadata: null }) }),
    ...(expires && { timing: { inProgressMs: EXPIRING[expires] } }),
  };
  stage.api.scenarios.forBatches(() => true, scenario);
  for (const one of faults) stage.api.faults.add(one);
}

const requestsOf = ({ lines }: Provider) =>
  lines.map((kind, index) => chatRequest(index, kind === 'good' ? {} : { user: `local-api:${kind}` }));

/** Everything that the provider has of a run, deleted files included. The server may skip years once a run has ended. */
async function atProvider(known: ReadonlySet<string>) {
  stage.api.faults.clear();
  const batches = (await stage.api.batches()).filter(({ id }) => !known.has(id));
  const linesOf = async (id: string | null | undefined) =>
    id ? (await stage.api.fileContent(id)).split('\n').filter(Boolean) : [];
  return Promise.all(
    batches.map(async (batch) => ({
      status: batch.status as string,
      inputs: (await linesOf(batch.input_file_id)).map((line) => (JSON.parse(line) as { custom_id: string }).custom_id),
      files: [batch.output_file_id, batch.error_file_id],
      answers: answersIn([...(await linesOf(batch.output_file_id)), ...(await linesOf(batch.error_file_id))]),
    })),
  );
}

/** The text of all result files of a run. */
async function kept({ output, errors, unreadable }: BatchResult | BulkBatchResult): Promise<string> {
  const files = [output, errors, unreadable].filter((file) => file !== null);
  return (await Promise.all(files.map(({ uri }) => readFile(fileURLToPath(uri), 'utf8')))).join('\n');
}

/** Ids of the answers in lines as the provider wrote them; a line that is not JSON is its own. */
function answersIn(lines: readonly string[]): string[] {
  return lines.map((line) => {
    try {
      const { id } = JSON.parse(line) as { id: string };
      return id;
    } catch {
      return line;
    }
  });
}

/** Ids of the files that were deleted at the provider. */
const deletedSince = (first: number) =>
  new Set(
    stage.api.requests
      .slice(first)
      .flatMap(({ operation, status: code, id }) => (operation === 'files.delete' && code === 200 ? [id] : [])),
  );

const knownBatches = async () => new Set((await stage.api.batches()).map(({ id }) => id));

/** Without a result end a run that was cancelled before it had a batch, and one whose batch cannot be looked for. */
function expectNoResult({ cause }: Error, { name }: Provider, mayBeCancelled: boolean): void {
  const isAmbiguous = cause instanceof ApplicationFailure && cause.type === 'AmbiguousCreate' && name === 'bare';
  const isCancelled = cause instanceof CancelledFailure && mayBeCancelled;
  expect({ cause: String(cause), isExpected: isAmbiguous || isCancelled }).toMatchObject({ isExpected: true });
}

/** Not at once: the time-skipping server loses a run whose activity is cancelled as it ends. */
async function cancelAt(run: BatchRun, after: string | null): Promise<void> {
  if (after === null) return;
  await stage.pass(after);
  const error: unknown = await run.cancel('enough').catch((reason: unknown) => reason);
  // The run may have failed by then.
  expect([undefined, 'WorkflowNotFoundError']).toContain(error instanceof Error ? error.name : error);
}

const poll = { min: '30m', max: '4h' };

test(
  'a batch → one job, every answer kept, nothing deleted unread',
  async () => {
    const property = fc.asyncProperty(
      provider,
      fc.record({ input: fc.boolean(), output: fc.boolean() }),
      fc.option(fc.constantFrom('5m', '20m', '1h'), { freq: 4 }),
      async (random, cleanup, cancelAfter) => {
        const known = await knownBatches();
        const first = stage.api.requests.length;
        arrange(random);
        const requests = requestsOf(random);
        const run = await stage.jobs.startBatch({
          input: { requests },
          endpoint,
          poll,
          cleanup,
          provider: random.name,
        });
        await cancelAt(run, cancelAfter);
        const end = await run.result().catch((error: Error) => error);
        const batches = await atProvider(known);
        const going = batches.filter(({ status: is }) => is !== 'cancelled');
        if (end instanceof Error) return expectNoResult(end, random, cancelAfter !== null && going.length === 0);
        expect(going.length).toBeLessThanOrEqual(1);
        const statuses = batches.map(({ status: is }) => is);
        expect(cancelAfter === null ? statuses : [end.status]).toContain(end.status);
        expect(totalOf(end)).toBe(LINES);
        const text = await kept(end);
        const deleted = deletedSince(first);
        for (const { answers, files } of batches) {
          const areDeleted = files.some((file) => file && deleted.has(file));
          expect(!areDeleted || (cleanup.output && end.isSettled)).toBe(true);
          for (const answer of end.isSettled ? answers : []) expect(text).toContain(answer);
        }
      },
    );
    await fc.assert(property, { numRuns: RUNS, endOnFailure: true });
  },
  300_000 + RUNS * 2_000,
);

const retry = fc.record(
  {
    failed: fc.boolean(),
    truncated: fc.boolean(),
    refused: fc.boolean(),
    filtered: fc.boolean(),
    undelivered: fc.boolean(),
    unreadable: fc.boolean(),
  },
  { requiredKeys: [] },
);

test(
  'a bulk batch → every request bought as often as the rules allow, every answer once in the merged files',
  async () => {
    const property = fc.asyncProperty(provider, retry, async (random, again) => {
      const known = await knownBatches();
      arrange(random);
      const requests = requestsOf(random);
      const input = { uri: await stage.write(requests) };
      const spec = {
        input,
        poll,
        split: { requests: LINES / 2 },
        maxRounds: 2,
        retry: again,
        cleanup: { input: false },
        provider: random.name,
      };
      const run = await stage.jobs.startBulkBatch(spec);
      const result = await run.result().catch((error: Error) => error);
      // No part has a result.
      if (result instanceof Error) return expectNoResult(result, random, false);
      // A twin of a batch, which is created when an answer is lost and a list lags, is cancelled before it is paid for.
      const batches = (await atProvider(known)).filter(({ status: is }) => is !== 'cancelled');
      const bought = batches.flatMap(({ inputs }) => inputs);
      const sent = result.sent.reduce((sum, round) => sum + round.requests, 0);
      // A part whose create got no answer fails where there is no metadata to find its batch by.
      const isAmbiguous = random.name === 'bare' && bought.length < sent;
      expect(bought.length).toBe(isAmbiguous ? bought.length : sent);
      for (const [index, { custom_id: id }] of requests.entries()) {
        const name = LINE_KINDS[random.lines[index]!];
        // Beside lines that match no request, one without a line counts as unreadable.
        const isNamed = name !== null && (again[name] ?? name === 'failed');
        const mayBeSentAgain = random.expires !== null || isNamed || (name === 'undelivered' && again.unreadable);
        const times = bought.filter((other) => other === id).length;
        expect(times).toBeGreaterThanOrEqual(isAmbiguous ? 0 : 1);
        expect(times).toBeLessThanOrEqual(mayBeSentAgain ? 2 : 1);
      }
      expect(totalOf(result)).toBe(LINES);
      const ids = idsOf(await readLines(result.output?.uri));
      expect(new Set(ids).size).toBe(ids.length);
      if (random.expires !== null || isAmbiguous) return undefined;
      const good = random.lines.flatMap((kind, index) => (kind === 'good' ? [requests[index]!.custom_id] : []));
      expect(ids).toEqual(expect.arrayContaining(good));
    });
    await fc.assert(property, { numRuns: Math.ceil(RUNS / 5), endOnFailure: true });
  },
  300_000 + RUNS * 4_000,
);
