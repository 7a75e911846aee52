/** How long property tests search, and the hostile values that they try. */
import * as fc from 'fast-check';

/** Inputs for each property; `LLM_JOBS_FUZZ_RUNS=10000` searches longer. */
export const FUZZ_RUNS = fuzzRuns(60);
export const RUNS = { numRuns: FUZZ_RUNS };

/** Inputs for a property that is slower than most. */
export function fuzzRuns(usual: number): number {
  return Number(process.env.LLM_JOBS_FUZZ_RUNS ?? usual);
}

/** Any text: lone surrogates, control characters and astral characters included. */
export const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
);

/** Any value that JSON can carry, with the keys and shapes that trip readers up. */
export const anyJson = fc.oneof(
  { weight: 3, arbitrary: fc.jsonValue() },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>(
      undefined,
      Number.NaN,
      Infinity,
      -1,
      1e300,
      Object.create(null),
      JSON.parse('{"__proto__": {"id": "x"}, "constructor": 1, "toString": 2, "valueOf": 3}'),
      [[[[]]]],
      { length: { toString: 1, valueOf: 2 }, size: { toString: 1 } },
      '\ud800',
      'x'.repeat(10_000),
    ),
  },
);

/** An object that has these keys, each with any value or not at all: closer to the real thing than any JSON. */
export function anyOf(keys: readonly string[]): fc.Arbitrary<Record<string, unknown>> {
  return fc.record(Object.fromEntries(keys.map((key) => [key, anyJson])), { requiredKeys: [] });
}
