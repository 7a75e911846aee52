import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonSkim } from '../../../src/jsonl/json-skim.js';
import { FUZZ_RUNS } from '../../support/jsonl.js';

const PATHS = [['a'], ['b', 'c'], ['b', 'd', '*', 'e']];

/** What the skim says of each path, or null where it is not sure. The text stands between other bytes, as a line does. */
function skimmed(text: string): (string | null)[] | null {
  const line = Buffer.from(text);
  const bytes = Buffer.concat([Buffer.from('{"a":7}\n'), line, Buffer.from('\n{"a":8}')]);
  const skim = new JsonSkim(PATHS);
  if (!skim.skim(bytes, 8, 8 + line.length)) return null;
  return PATHS.map((_, slot) =>
    skim.starts[slot] === -1 ? null : bytes.toString('utf8', skim.starts[slot], skim.ends[slot]),
  );
}

/** The same by `JSON.parse`: values written anew. */
function parsed(text: string): (string | null)[] {
  const { a, b } = JSON.parse(text) as { a?: unknown; b?: { c?: unknown; d?: { e?: unknown }[] } };
  const isObject = typeof b === 'object' && b !== null && !Array.isArray(b);
  const d = isObject && Array.isArray(b.d) ? b.d : [];
  const found = d.flatMap((element) =>
    typeof element === 'object' && element !== null && !Array.isArray(element) && 'e' in element ? [element.e] : [],
  );
  return [a, isObject ? b.c : undefined, found[0]].map((value) => (value === undefined ? null : JSON.stringify(value)));
}

const rewritten = (value: string | null): string | null => value && JSON.stringify(JSON.parse(value));

describe('JSON skim', () => {
  it.each([
    ['{"a":1}', ['1', null, null]],
    [' {\t"a" : "x\\"y" , "z":[{"a":2},[],{}] } ', ['"x\\"y"', null, null]],
    ['{"b":{"c":null,"d":[{"e":true}],"a":3}}', [null, 'null', 'true']],
    ['{"b":[{"c":1}]}', [null, null, null]],
    ['{"a":-0.5e+10,"b":"Grüße"}', ['-0.5e+10', null, null]],
    ['{}', [null, null, null]],
  ])('fields: %s → found where they stand', (text, expected) => {
    expect(skimmed(text)).toEqual(expected);
  });

  it.each([
    ['twice the same field', '{"a":1,"a":2}'],
    ['twice what holds a field', '{"b":{"c":1},"b":{}}'],
    ['two elements with the field', '{"b":{"d":[{"e":1},{"e":2}]}}'],
    ['an escape in a key', '{"\\u0061":1}'],
    ['no object', '["a"]'],
    ['text behind the object', '{"a":1}}'],
    ['a comma too many', '{"a":1,}'],
    ['a leading zero', '{"a":01}'],
    ['a lonely minus', '{"a":-}'],
    ['a control character', '{"a":"\u0001"}'],
    ['an escape that is none', '{"a":"\\x"}'],
    ['a short escape', '{"a":"\\u00g0"}'],
    ['an escape of letters beyond F', '{"a":"\\u001G"}'],
    ['an object that is cut', '{"a":1'],
    ['a string that is cut', '{"a":"b'],
    ['nothing', ''],
    ['depths without end', `{"a":${'['.repeat(100)}${']'.repeat(100)}}`],
  ])('%s → not sure', (_, text) => {
    expect(skimmed(text)).toBeNull();
  });

  it('values: read as they are written', () => {
    const bytes = Buffer.from('{"a":"é\\n","b":{"c":123},"z":0}');
    const skim = new JsonSkim(PATHS);
    expect(skim.skim(bytes, 0, bytes.length)).toBe(true);
    expect([skim.text(0), skim.count(0), skim.text(1), skim.count(1), skim.text(2), skim.kind(2)]).toEqual([
      'é\n',
      -1,
      null,
      123,
      null,
      0,
    ]);
    expect([skim.is(1, Buffer.from('123')), skim.is(1, Buffer.from('12')), skim.is(2, Buffer.from('1'))]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('any JSON object → surely read, and as JSON.parse reads it, unless a field stands twice', () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
    const { any } = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 5 },
        fc.oneof(fc.string({ unit: 'binary' }), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant(null)),
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(key, tie('any'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(key, any, { maxKeys: 4 }), fc.constantFrom(undefined, 1, '\t'), (object, space) => {
        const text = JSON.stringify(object, null, space).replaceAll('\n', ' ');
        const found = skimmed(text);
        const mayStandTwice = (text.match(/"e"/g)?.length ?? 0) > 1;
        expect(found?.map(rewritten) ?? (mayStandTwice ? parsed(text) : null)).toEqual(parsed(text));
      }),
      { numRuns: FUZZ_RUNS * 5 },
    );
  });

  it('any change of one byte → sure only of what JSON.parse reads too', () => {
    const line = '{"a":"x\\u00e9\\n y","b":{"c":-1.5e3,"d":[{"e":true},[null,false]]},"f":""}';
    const byte = fc.oneof(
      fc.constantFrom(...Buffer.from('{}[]":,\\ue0.-+1tfn \t\r')),
      fc.integer({ min: 0, max: 127 }),
    );
    fc.assert(
      fc.property(fc.nat(line.length - 1), byte, fc.nat(2), (at, code, removed) => {
        const changed = line.slice(0, at) + String.fromCharCode(code) + line.slice(at + removed);
        if (changed.includes('\n')) return;
        const found = skimmed(changed);
        if (found === null) return;
        expect(found.map(rewritten)).toEqual(parsed(changed));
      }),
      { numRuns: FUZZ_RUNS * 20 },
    );
  });
});
