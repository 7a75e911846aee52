import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PartResults } from '../../../src/results/bulk-account.js';
import { results, merge, ok, failed, expired, idsOf, useMergeFolder } from '../../support/merging.js';
import { fuzzRuns } from '../../support/fuzz.js';

useMergeFolder();

describe('merge', () => {
  test('any outcomes over three rounds, shuffled → each request once, in input order, and it sums', async () => {
    const steps = fc.constantFrom('ok', 'fail', 'refuse', 'expire', 'none');
    const arbitrary = fc.array(fc.tuple(steps, steps, steps), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(arbitrary, fc.infiniteStream(fc.nat()), async (plans, random) => {
        const ids = plans.map((_, index) => `id "${index}" ä`);
        const batches: PartResults[] = [];
        const best = new Map<string, string>();
        for (const round of [0, 1, 2]) {
          const output: object[] = [];
          const errors: object[] = [];
          plans.forEach((plan, index) => {
            const id = ids[index] ?? '';
            // Requests that succeeded or were refused are not sent again.
            if (['ok', 'refuse'].includes(best.get(id) ?? '')) return;
            const step = plan[round] ?? 'none';
            if (step === 'ok') output.push(ok(id));
            if (step === 'fail') errors.push(failed(id, 500));
            if (step === 'refuse') errors.push(failed(id, 400));
            if (step === 'expire') errors.push(expired(id));
            if (step !== 'none') best.set(id, step);
          });
          const shuffled = output.map((line) => ({ line, key: random.next().value ?? 0 }));
          batches.push(
            await results(
              round + 1,
              shuffled.toSorted((a, b) => a.key - b.key).map(({ line }) => line),
              errors,
            ),
          );
        }
        const { merged, output, errors } = await merge(ids, batches);
        const answered = ids.filter((id) => best.get(id) === 'ok');
        expect(idsOf(output)).toEqual(answered);
        expect(idsOf(errors)).toEqual(ids.filter((id) => best.get(id) !== 'ok'));
        const { succeeded, failed: bad, unfinished, missing } = merged.lines;
        expect([succeeded, succeeded + bad + unfinished + missing]).toEqual([answered.length, ids.length]);
        expect(merged.usage.m?.totalTokens ?? 0).toBe(5 * answered.length);
      }),
      { numRuns: fuzzRuns(60) },
    );
  });
});
