import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collected, collect, idsIn } from '../../support/collecting.js';
import { request, success, failure, unfinished } from '../../support/result-lines.js';
import { cut } from '../../support/streams.js';
import { FUZZ_RUNS } from '../../support/fuzz.js';

describe('collectResults', () => {
  it('ids: of any characters → distinguished, and returned unchanged', async () => {
    const id = fc.oneof(fc.string({ unit: 'binary', minLength: 1 }), fc.string({ unit: 'grapheme', minLength: 1 }));
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(id, { maxLength: 50 }), async (ids) => {
        const { errors, lines } = await collect({ ids });
        expect(lines.missing).toBe(ids.length);
        expect(idsIn(errors)).toEqual(ids);
      }),
      { numRuns: FUZZ_RUNS },
    );
  });

  it('results: any lines, cut anywhere → counts that sum, each id of the input once, every line accounted for', async () => {
    const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', '', '__proto__', 'é');
    const line = fc.oneof(
      id.map((name) => JSON.stringify(success(name))),
      id.map((name) => JSON.stringify(failure(name))),
      id.map((name) => JSON.stringify(unfinished(name))),
      id.map((name) => JSON.stringify(success(name)).slice(0, 40)),
      fc.tuple(id, fc.jsonValue(), fc.jsonValue()).map(([name, response, error]) => {
        return JSON.stringify({ custom_id: name, response, error });
      }),
      fc.json(),
      fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\n', '')),
      fc.constantFrom('', ' ', '\r'),
    );
    const file = fc.option(fc.array(line, { maxLength: 20 }));
    const places = fc.array(fc.nat(), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(fc.option(fc.uniqueArray(id)), file, file, places, async (ids, output, errors, cuts) => {
        const opened = (lines: string[] | null) => lines && (() => cut(Buffer.from(lines.join('\n')), cuts));
        const input = ids === null ? null : ids.map((name) => JSON.stringify(request(name)));
        const result = await collected({ input: opened(input), output: opened(output), errors: opened(errors) });
        const { lines, anomalies, total } = result.summary;
        const { succeeded, failed, unfinished: never, missing } = lines;
        const kept = [idsIn(result.output ?? ''), idsIn(result.errors ?? '')];

        expect(succeeded + failed + never + missing).toBe(total);
        expect(kept.map((names) => names.length)).toEqual([succeeded, failed + never + missing]);
        expect(new Set(kept.flat()).size).toBe(total);
        expect(total).toBe(ids && ids.length > 0 ? ids.length : new Set(kept.flat()).size);
        const found = [...(output ?? []), ...(errors ?? [])].filter((text) => !/^[ \t\r]*$/.test(text)).length;
        const { duplicates, unknownIds, unreadable } = anomalies;
        expect(succeeded + failed + never + duplicates + unknownIds + unreadable).toBe(found);
        // Every line is in one of the files: those with an id that counts in the first two, all others as they are.
        const aside = (result.unreadable ?? '').split('\n').filter((text) => !/^[ \t\r]*$/.test(text));
        expect(aside).toHaveLength(found - succeeded - failed - never);
      }),
      { numRuns: FUZZ_RUNS },
    );
  });
});
