import { expect, test } from 'vitest';
import { z } from 'zod';
import { describeFaults, parseSpec } from '../../../src/contract/parse-spec.js';

const nested = z.object({ a: z.object({ b: z.array(z.object({ c: z.string('wrong') })) }) });

test('read spec: a good value → the spec with its defaults, and no report', () => {
  const reading = parseSpec(z.object({ a: z.number().default(1) }), {});
  expect(reading).toEqual({ spec: { a: 1 } });
});

test.each<[value: unknown, field: string | undefined]>([
  [{ a: { b: [{ c: 'x' }, { c: 1 }] } }, 'a.b[1].c'],
  [{ a: { b: 1 } }, 'a.b'],
  [{}, 'a'],
  [null, undefined],
])('read spec: %j → a fault at %s', (value, field) => {
  expect(parseSpec(nested, value).report?.faults.map((fault) => fault.field)).toEqual([field]);
});

test('read spec: a fault at the top of a list → its index', () => {
  expect(parseSpec(z.array(z.string('wrong')), ['x', 1]).report).toEqual({
    faults: [{ field: '[1]', message: 'wrong' }],
    total: 1,
  });
});

test.each([
  [20, 20],
  [21, 20],
  [5_000, 20],
])('read spec: %i faults → the first %i, and how many there are', (count, listed) => {
  const wrong = Array.from({ length: count }, () => 1);
  const { report } = parseSpec(z.array(z.string('wrong')), wrong);
  expect(report?.total).toBe(count);
  expect(report?.faults).toEqual(
    Array.from({ length: listed }, (_, index) => ({ field: `[${index}]`, message: 'wrong' })),
  );
});

test('read spec: a key of a megabyte → field and message bounded', () => {
  const [fault] = parseSpec(z.record(z.string(), z.string()), { ['k'.repeat(1e6)]: 1 }).report?.faults ?? [];
  expect(fault?.field).toHaveLength(200);
  const wordy = z.strictObject({ ['a'.repeat(400)]: z.string().optional() });
  const [unknown] = parseSpec(wordy, { ['k'.repeat(1e6)]: 1 }).report?.faults ?? [];
  expect(unknown?.message).toHaveLength(300);
});

test('read spec: one branch of a union knows all given keys → its faults, by their own fields', () => {
  const union = z.object({
    input: z.union([
      z.strictObject({ file: z.string('file!') }),
      z.strictObject({ rows: z.array(z.object({ id: z.string('id!') })) }),
    ]),
  });
  const fieldsOf = (input: unknown) => parseSpec(union, { input }).report?.faults.map(({ field }) => field);
  expect(fieldsOf({ rows: [{ id: 'x' }, {}, {}] })).toEqual(['input.rows[1].id', 'input.rows[2].id']);
  expect(fieldsOf({ file: 1 })).toEqual(['input.file']);
  expect(fieldsOf({})).toEqual(['input']);
  expect(fieldsOf({ other: 1 })).toEqual(['input']);
  expect(fieldsOf({ file: 1, rows: 1 })).toEqual(['input']);
  expect(fieldsOf(7)).toEqual(['input']);
});

test.each<[report: Parameters<typeof describeFaults>[0], expected: string]>([
  [{ faults: [], total: 0 }, 'Invalid input'],
  [{ faults: [{ message: 'bad' }], total: 1 }, 'bad'],
  [{ faults: [{ field: 'a.b', message: 'bad' }], total: 1 }, 'a.b: bad'],
  [{ faults: [{ line: 3, message: 'bad' }], total: 1 }, 'line 3: bad'],
  [{ faults: [{ line: 3, field: 'url', message: 'bad' }], total: 1 }, 'line 3, url: bad'],
  [{ faults: [{ field: 'a', message: 'bad' }, { message: 'too' }], total: 2 }, 'a: bad (and 1 more)'],
  [{ faults: [{ field: 'a', message: 'bad' }], total: 25 }, 'a: bad (and 24 more)'],
])('describe faults: %j → %s', (report, expected) => {
  expect(describeFaults(report)).toBe(expected);
});
