import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { NO_USAGE } from '../../../src/contract/no-usage.js';
import type { PartResults } from '../../../src/results/bulk-account.js';
import { surveyResults } from '../../../src/results/merge.js';
import type { AnswerPolicy } from '../../../src/results/result-reader.js';
import {
  results,
  merge,
  storage,
  useMergeFolder,
  POLICY,
  ok,
  failed,
  expired,
  inputOf,
  idsOf,
} from '../../support/merging.js';
import { sourceOf } from '../../support/streams.js';

useMergeFolder();

describe('merge', () => {
  test('what remains → its line with round and outcome, or a synthetic line', async () => {
    const batches = [await results(1, [], [failed('a', 500), expired('b')]), await results(2, [], [failed('a', 429)])];
    const { errors, merged } = await merge(['a', 'b', 'c'], batches);
    expect(errors).toMatchObject([
      { custom_id: 'a', round: 2, outcome: 'failed', response: { status_code: 429 } },
      { custom_id: 'b', round: 1, outcome: 'unfinished' },
      { custom_id: 'c', outcome: 'missing', error: { code: 'missing' } },
    ]);
    expect(merged.lines).toEqual({ succeeded: 0, failed: 1, unfinished: 1, missing: 1 });
  });

  test('by custom_id, gzip → sorted, compressed, lines counted before compression', async () => {
    const { merged, output } = await merge(['c', 'a', 'b'], [await results(1, [ok('a'), ok('b'), ok('c')], [])], {
      order: 'customId',
      gzip: true,
    });
    expect(idsOf(output)).toEqual(['a', 'b', 'c']);
    expect(merged.output?.lines).toBe(3);
  });

  test('a rejected answer and an accepted one → both are in the usage, one is in the output', async () => {
    const policy: AnswerPolicy = {
      ...POLICY,
      fit: (body) => (JSON.stringify(body).includes('good') ? 'fits' : 'mismatched'),
    };
    const usage = { ...NO_USAGE, inputTokens: 1_000_000, outputTokens: 500_000, totalTokens: 1_500_000 };
    const batches = [
      { ...(await results(1, [ok('a', { text: 'bad' })], [])), usage },
      { ...(await results(2, [ok('a', { text: 'good' })], [])), usage },
    ];
    const prices = { m: { inputPerMillion: 2, outputPerMillion: 8 } };
    const { merged, output } = await merge(['a'], batches, { prices }, policy);
    expect(output).toHaveLength(1);
    expect(merged.cost).toEqual({ total: 12, byModel: { m: 12 } });
  });

  test('an error after a success → the success counts; an error after another → the last round counts', async () => {
    const batches = [
      await results(1, [ok('a')], [failed('b', 500), expired('c')]),
      await results(2, [], [failed('a', 500), expired('b'), failed('c', 429)]),
    ];
    const { output, errors } = await merge(['a', 'b', 'c'], batches);
    expect(idsOf(output)).toEqual(['a']);
    expect(errors).toMatchObject([
      { custom_id: 'b', round: 2, outcome: 'unfinished' },
      { custom_id: 'c', round: 2, outcome: 'failed' },
    ]);
  });

  test.each([
    [false, 'unfinished'],
    [true, 'abandoned'],
  ] as const)(
    'a failed part (final: %s) → its requests without a real result get its reason',
    async (isFinal, outcome) => {
      const ids = ['answered before', 'failed', 'expired', 'no line', 'answered after'];
      const requests = inputOf(ids)[0]!;
      const first = await results(1, [ok('answered before')], [failed('no line', 500), failed('answered after', 500)]);
      const second = await results(2, [], [failed('failed', 429), expired('expired')]);
      const failure = { type: 'JobStuck', message: 'no end', isFinal, requests };
      const third = await results(3, [ok('answered after')], []);
      const { output, errors, merged } = await merge(ids, [first, { ...second, failure }, third]);
      expect(idsOf(output)).toEqual(['answered before', 'answered after']);
      const error = { code: 'JobStuck', message: 'no end' };
      expect(errors).toEqual([
        { round: 2, outcome: 'failed', ...failed('failed', 429) },
        { round: 2, outcome, id: null, custom_id: 'expired', response: null, error },
        { round: 2, outcome, id: null, custom_id: 'no line', response: null, error },
      ]);
      expect(merged.lines).toEqual({ succeeded: 2, failed: 1, unfinished: 2, missing: 0 });
    },
  );

  test('a synthetic line for a request without a result → missing, with that line', async () => {
    const synthetic = { id: null, custom_id: 'a', response: null, error: { code: 'missing', message: 'x' } };
    const { merged, errors } = await merge(['a'], [await results(1, [], [synthetic])]);
    expect(merged.lines).toMatchObject({ unfinished: 0, missing: 1 });
    expect(errors).toMatchObject([{ custom_id: 'a', round: 1, outcome: 'missing' }]);
  });

  test('results on other storage, cut anywhere, with irregular lines → the same', async () => {
    const text = [
      `\uFEFF  ${JSON.stringify(failed('b', 500))}\r`,
      '',
      'no JSON',
      JSON.stringify(ok('unknown')),
      `\t${JSON.stringify(ok('ä "quoted" \ud800'))}`,
      JSON.stringify(ok('a')).replace('"custom_id":"a"', '"custom_\\u0069d":"a"'),
    ].join('\n');
    const file = { uri: 's3://bucket/output.jsonl', open: () => sourceOf('', text, 11).open() };
    const batch = { round: 1, part: 1, model: 'm', output: file, errors: null, unreadable: null, usage: null };
    const { output, errors, unreadable } = await merge(['a', 'ä "quoted" \ud800', 'b'], [batch]);
    expect(idsOf(output)).toEqual(['a', 'ä "quoted" \ud800']);
    expect(errors).toMatchObject([{ custom_id: 'b', outcome: 'failed' }]);
    expect(unreadable).toBe(`no JSON\n${JSON.stringify(ok('unknown'))}\n`);
  });

  test.each([false, true])(
    'a file that is shorter when it is read again (gzip: %s) → an error, no hang',
    async (gzip) => {
      const batch = await results(1, [ok('a'), ok('b')], []);
      const { uri } = batch.output!;
      let reads = 0;
      const open = async function* () {
        reads += 1;
        yield* storage.read(uri);
        await writeFile(fileURLToPath(uri), '{}\n');
      };
      await expect(merge(['a', 'b'], [{ ...batch, output: { uri, open } }], { gzip })).rejects.toThrow('shorter');
      expect(reads).toBe(1);
    },
  );

  test('more requests and files than are read together → each once, in input order', async () => {
    const ids = Array.from({ length: 40_000 }, (_, index) => `request-${index}`);
    const batches: PartResults[] = [];
    for (let part = 0; part < 40; part += 1) {
      // Neighbours in the input are in different files.
      const of = ids.filter((_, index) => index % 40 === part).toReversed();
      batches.push(
        await results(
          1,
          of.slice(5).map((id) => ok(id)),
          of.slice(0, 5).map(expired),
        ),
      );
    }
    const { output, errors } = await merge(ids, batches);
    const open = new Set(idsOf(errors));
    expect([idsOf(errors), open.size]).toEqual([ids.filter((id) => open.has(id)), 200]);
    expect(idsOf(output)).toEqual(ids.filter((id) => !open.has(id)));
  });
});

describe('survey', () => {
  test('after a round → unfinished requests and passing failures are open', async () => {
    const batch = await results(1, [ok('a')], [failed('b', 500), failed('c', 400), expired('d')]);
    const survey = await surveyResults(inputOf(['a', 'b', 'c', 'd', 'e']), [batch], POLICY);
    expect(survey.open).toBe(2);
    expect(survey.openByOutcome).toEqual({ unfinished: 1, failed: 1 });
    expect(['a', 'b', 'c', 'd', 'e', 'f'].filter(survey.isOpen)).toEqual(['b', 'd']);
  });

  test('truncated answers → open only where the policy says so', async () => {
    const batch = await results(1, [ok('a', { choices: [{ finish_reason: 'length' }] })], []);
    expect((await surveyResults(inputOf(['a']), [batch], POLICY)).open).toBe(0);
    expect((await surveyResults(inputOf(['a']), [batch], { ...POLICY, sendAgain: new Set(['truncated']) })).open).toBe(
      1,
    );
  });
});
