import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scanned, parsed } from '../../support/scanning.js';
import { FUZZ_RUNS } from '../../support/fuzz.js';

describe('field scanner', () => {
  it('any JSON object → the values that JSON.parse gives', async () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
    const { any } = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 5 },
        fc.oneof(fc.string({ unit: 'binary' }), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant(null)),
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(key, tie('any'), { maxKeys: 4 }),
      ),
    }));
    const object = fc.dictionary(key, any, { maxKeys: 4 });
    await fc.assert(
      fc.asyncProperty(object, fc.constantFrom(undefined, 1, '\t'), async (value, space) => {
        const text = JSON.stringify(value, null, space).replaceAll('\n', ' ');
        expect(await scanned(text)).toEqual(parsed(text));
      }),
      { numRuns: FUZZ_RUNS * 5 },
    );
  });

  it('any change of one byte → the values that JSON.parse gives, or null for both', async () => {
    const line = '{"a":"x\\u00e9\\n y","b":{"c":-1.5e3,"d":[{"e":true},[null,false]]},"f":"","a":0}';
    const byte = fc.oneof(
      fc.constantFrom(...Buffer.from('{}[]":,\\ue0.-+1tfn \t\r')),
      fc.integer({ min: 0, max: 127 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(line.length - 1), byte, fc.nat(2), async (at, code, removed) => {
        const changed = line.slice(0, at) + String.fromCharCode(code) + line.slice(at + removed);
        if (changed.includes('\n')) return;
        expect(await scanned(changed)).toEqual(parsed(changed));
      }),
      { numRuns: FUZZ_RUNS * 20 },
    );
  });
});
