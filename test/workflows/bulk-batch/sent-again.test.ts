/** Which requests a bulk batch buys again, and where the answers are that it does not count. */
import { describe, expect, test } from 'vitest';
import type { BulkBatchSpec } from '../../../src/index.js';
import { devServerStage } from '../../support/stage.js';
import { idsOf, readLines, totalOf } from '../../support/runs.js';
import { chatRequest, chatRequests } from '../../support/samples.js';

const stage = devServerStage({});

async function run(requests: unknown[], spec: Partial<BulkBatchSpec> = {}) {
  const before = (await stage.api.batches()).length;
  const bulk = await stage.jobs.startBulkBatch({ input: { uri: await stage.write(requests) }, settleFor: 0, ...spec });
  const result = await bulk.result();
  return { result, created: (await stage.api.batches()).length - before };
}

const withFaults = (...faults: string[]) =>
  faults.map((fault, index) => chatRequest(index, { user: `local-api:${fault}` }));

describe('a bulk batch', () => {
  test('answers that are refused, filtered, lost or damaged → bought once, each with its reason', async () => {
    const faults = ['refusal', 'content-filter', 'missing', 'null-body', 'status=400', 'truncated', 'no-wrapper'];
    const { result, created } = await run([...withFaults(...faults), ...chatRequests(10).slice(7)]);
    expect(created).toBe(1);
    expect(result.sent).toEqual([{ round: 1, requests: 10, reasons: { first: 10 } }]);
    expect(result.lines).toEqual({ succeeded: 5, failed: 4, unfinished: 0, missing: 1 });
    const outcomes = await readLines(result.errors?.uri);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['refused', 'filtered', 'missing', 'final', 'final']);
    expect(result.unreadable).toBeNull();
  });

  test('a kind that `retry` names → bought again, and the plan says why', async () => {
    const faults = ['refusal', 'content-filter', 'missing', 'truncated'];
    const retry = { refused: true, filtered: true, undelivered: true, truncated: true };
    const { result } = await run([...withFaults(...faults), chatRequest(9)], { retry, maxRounds: 2 });
    expect(result.sent).toEqual([
      { round: 1, requests: 5, reasons: { first: 5 } },
      { round: 2, requests: 4, reasons: { truncated: 1, refused: 1, filtered: 1, undelivered: 1 } },
    ]);
  });

  test('failures that pass → bought again; codes of the spec pass too', async () => {
    const faults = ['error-in-200', 'status=500', 'status=418', 'status=404'];
    const { result } = await run(withFaults(...faults), { retry: { codes: [418] }, maxRounds: 2 });
    expect(result.sent[1]).toEqual({ round: 2, requests: 3, reasons: { failed: 3 } });
    const outcomes = await readLines(result.errors?.uri);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'failed', 'final']);
  });

  test('a batch whose lines are all strangers → kept raw and paid, no further round, a warning', async () => {
    const faults = ['unknown-id', 'null-id', 'null-id'];
    const prices = { other: { inputPerMillion: 1, outputPerMillion: 1 } };
    const { result, created } = await run([...withFaults(...faults)], { prices });
    expect(created).toBe(1);
    expect(result.lines).toEqual({ succeeded: 0, failed: 0, unfinished: 0, missing: 3 });
    expect(result.unreadable?.lines).toBe(3);
    expect(await readLines(result.unreadable?.uri)).toHaveLength(3);
    expect(result.usage['gpt-4o-mini']?.totalTokens).toBeGreaterThan(0);
    expect(result.warnings.join('\n')).toMatch(/custom_id/);
    expect(result.warnings.join('\n')).toContain('no price for "gpt-4o-mini"');
  });

  test('lines that cannot be read, of several batches → in one file, nothing is bought again', async () => {
    const faults = ['malformed', 'duplicate', 'malformed', 'malformed'];
    const requests = [...withFaults(...faults), ...chatRequests(8).slice(4)];
    const { result, created } = await run(requests, { split: { requests: 4 } });
    expect(created).toBe(2);
    expect(result.lines).toEqual({ succeeded: 5, failed: 0, unfinished: 0, missing: 3 });
    expect(result.unreadable?.lines).toBe(4);
    const outcomes = await readLines(result.errors?.uri);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['unreadable', 'unreadable', 'unreadable']);
    expect(idsOf(await readLines(result.output?.uri))).toHaveLength(5);
    expect(totalOf(result)).toBe(8);
  });
});
