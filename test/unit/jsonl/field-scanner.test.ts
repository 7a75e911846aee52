import { describe, expect, it } from 'vitest';
import { lineBlocks } from '../../../src/jsonl/lines.js';
import {
  ARRAY,
  type FieldValue,
  fieldScanner,
  OBJECT,
  REPEATED,
  SEVERAL,
} from '../../../src/jsonl/scan/field-scanner.js';
import { lineOf, scanned, parsed, PATHS } from '../../support/scanning.js';
import { bytesOf } from '../../support/streams.js';

describe('field scanner', () => {
  it.each<[string, FieldValue[]]>([
    ['{"a":1}', [1, undefined, undefined, undefined]],
    [' {\t"a" : "x\\"y" , "z":[{"a":2},[],{}] } ', ['x"y', undefined, undefined, undefined]],
    ['{"b":{"c":null,"d":[{"e":true}],"a":3}}', [undefined, null, true, OBJECT]],
    ['{"b":[{"c":1}]}', [undefined, undefined, undefined, ARRAY]],
    ['{"a":-0.5e+10,"b":"Grüße"}', [-0.5e10, undefined, undefined, 'Grüße']],
    ['{"a":1234567890123,"b":{"c":-0}}', [1234567890123, -0, undefined, OBJECT]],
    ['{"a":{},"b":{"d":[1,{"e":"x"},{"e":"y"}]}}', [OBJECT, undefined, SEVERAL, OBJECT]],
    ['{"a":false,"b":{"c":[]}}', [false, ARRAY, undefined, OBJECT]],
    ['{}', [undefined, undefined, undefined, undefined]],
    ['{"a":1,"a":2}', [2, undefined, undefined, undefined]],
    ['{"b":{"c":1},"b":{}}', [undefined, undefined, undefined, OBJECT]],
    ['{"\\u0061":1}', [1, undefined, undefined, undefined]],
    [`{"z":${'['.repeat(100)}${']'.repeat(100)},"a":1}`, [1, undefined, undefined, undefined]],
    ['{"__proto__":{"a":1},"b":{"__proto__":{"c":2}}}', [undefined, undefined, undefined, OBJECT]],
  ])('line: %s → the values that JSON.parse gives', async (text, expected) => {
    expect(await scanned(text)).toEqual(expected);
    expect(parsed(text)).toEqual(expected);
  });

  it.each([
    ['an array', '["a"]'],
    ['text behind the object', '{"a":1}}'],
    ['a trailing comma', '{"a":1,}'],
    ['a leading comma', '{,"a":1}'],
    ['a leading zero', '{"a":01}'],
    ['a minus without a number', '{"a":-}'],
    ['a control character', '{"a":"\u0001"}'],
    ['an unknown escape', '{"a":"\\x"}'],
    ['a short escape', '{"a":"\\u00g0"}'],
    ['an escape with a letter beyond F', '{"a":"\\u001G"}'],
    ['an object that is cut', '{"a":1'],
    ['a string that is cut', '{"a":"b'],
  ])('line: %s → null', async (_, text) => {
    expect(await scanned(text)).toBeNull();
    expect(parsed(text)).toBeNull();
  });

  it('line: invalid UTF-8 or too long → null', async () => {
    const scan = fieldScanner(PATHS);
    for await (const lines of lineBlocks(
      bytesOf(Buffer.from('{"a":"\xff"}\n', 'latin1'), `{"a":"${'x'.repeat(99)}"}`),
      {
        lineBytes: 50,
      },
    )) {
      expect(lines.map((line) => scan(line))).toEqual(lines.map(() => null));
    }
  });

  it('strings: the same as on the line before, and others of the same length → each its own', async () => {
    const scan = fieldScanner([['a']]);
    const found: unknown[] = [];
    const different = Array.from({ length: 20 }, (_, index) => `z${index % 10}`);
    const texts = ['x1', 'x1', 'x2', 'é1', 'x2', '', 'y'.repeat(200), 'y'.repeat(200), 'x2', ...different, 'z9', 'z9'];
    for await (const lines of lineBlocks(bytesOf(texts.map((a) => JSON.stringify({ a })).join('\n')))) {
      found.push(...lines.map((line) => scan(line)?.[0]));
    }
    expect(found).toEqual(texts);
  });

  it.each<[string, FieldValue]>([
    ['{"a":1,"a":2}', REPEATED],
    ['{"x":1,"a":"é","a":"b"}', REPEATED],
    ['{"a":"b","\\u0061":"c"}', REPEATED],
    ['{"a":"b","a":"b"}', 'b'],
    ['{"\\u0061":"b"}', 'b'],
    ['{"b":1,"b":2}', undefined],
  ])('unique field: %s → %s', async (text, expected) => {
    expect((await scanned(text, { unique: 0 }))?.[0]).toBe(expected);
  });

  it.each<[string, FieldValue]>([
    ['{"a":"x","b":', 'x'],
    ['{"a":"x","a":"y"}', 'x'],
    ['{"b":1,"a":"\\u00e9"} garbage', 'é'],
    ['{"\\u0061":"x"}', 'x'],
    ['{"b":1}', undefined],
  ])('stop when found: %s → the first value, and the rest is not read', async (text, expected) => {
    expect(fieldScanner([['a']], { stopWhenFound: true })(await lineOf(text))).toEqual([expected]);
  });
});
