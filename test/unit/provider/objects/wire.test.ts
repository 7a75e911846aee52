import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  ifReadable,
  wireCount,
  wireMetadata,
  wireStatus,
  wireText,
  wireTime,
} from '../../../../src/provider/objects/wire.js';

const AT = Date.UTC(2026, 10, 23, 12, 30) / 1_000;

describe('time', () => {
  // A worker far from Greenwich reads the same.
  beforeAll(() => vi.stubEnv('TZ', 'Asia/Tokyo'));
  afterAll(() => vi.unstubAllEnvs());

  test.each<[why: string, time: unknown]>([
    ['epoch seconds', AT],
    ['epoch seconds with a fraction', AT + 0.9],
    ['epoch milliseconds', AT * 1_000],
    ['epoch seconds as text', String(AT)],
    ['epoch seconds with a fraction as text', `${AT}.5`],
    ['epoch milliseconds as text', String(AT * 1_000)],
    ['ISO in UTC', '2026-11-23T12:30:00Z'],
    ['ISO with milliseconds', '2026-11-23T12:30:00.999Z'],
    ['ISO with microseconds', '2026-11-23T12:30:00.123456Z'],
    ['ISO with an offset', '2026-11-23T14:30:00+02:00'],
    ['ISO without a zone, as Python writes it', '2026-11-23T12:30:00.123456'],
    ['the same with a space', '2026-11-23 12:30:00'],
    ['the same without seconds', '2026-11-23T12:30'],
  ])('%s: %j → epoch seconds', (_, time) => {
    expect(wireTime.parse(time)).toBe(AT);
  });

  test.each<[why: string, time: unknown]>([
    ['zero, as some languages write "not set"', 0],
    ['zero as text', '0'],
    ['the year 1, as some languages write "not set"', '0001-01-01T00:00:00Z'],
    ['a negative one', -1],
    ['one after the end of time', 1e300],
    ['the same as text', '9'.repeat(30)],
    ['words', 'yesterday'],
    ['nothing', ''],
    ['a boolean', true],
    ['an object', { seconds: AT }],
    ['not a number', Number.NaN],
  ])('%s: %j → not read', (_, time) => {
    expect(wireTime.safeParse(time).success).toBe(false);
    expect(ifReadable(wireTime).parse(time)).toBeUndefined();
  });

  test('the zone of the worker → not that of Greenwich in these tests', () => {
    expect(new Date(0).getTimezoneOffset()).toBe(-540);
  });
});

test.each<[status: unknown, expected: string | undefined]>([
  ['completed', 'completed'],
  ['Validating', 'validating'],
  ['IN_PROGRESS', 'in_progress'],
  [' failed ', 'failed'],
  ['', undefined],
  [' ', undefined],
  [null, undefined],
  [5, undefined],
])('status: %j → %j', (status, expected) => {
  expect(wireStatus.safeParse(status).data).toBe(expected);
});

test('status: one of a megabyte → bounded, since it travels through the history', () => {
  expect(wireStatus.parse('X'.repeat(1_000_000))).toBe(`${'x'.repeat(99)}…`);
});

test.each<[count: unknown, expected: number]>([
  [7, 7],
  [0, 0],
  [null, 0],
  [undefined, 0],
  ['', 0],
  [-1, 0],
  ['7', 0],
  [Number.NaN, 0],
  [{}, 0],
])('count: %j → %i', (count, expected) => {
  expect(wireCount.parse(count)).toBe(expected);
});

test.each<[metadata: unknown, expected: Record<string, string>]>([
  [{ a: 'x' }, { a: 'x' }],
  [{ a: 'x', b: 1, c: null, d: {} }, { a: 'x' }],
  [null, {}],
  [undefined, {}],
  ['', {}],
  [['x'], {}],
  ['text', {}],
])('metadata: %j → %j', (metadata, expected) => {
  expect(wireMetadata.parse(metadata)).toEqual(expected);
});

test('parts that nothing depends on: null, "", absent and any unexpected shape → undefined', () => {
  const schema = ifReadable(wireText());
  for (const value of [null, undefined, '', 5, {}, []]) expect(schema.parse(value)).toBeUndefined();
  expect(schema.parse('text')).toBe('text');
});

test('text for a person: a megabyte → bounded', () => {
  expect(wireText().parse('x'.repeat(1_000_000)).length).toBe(1_000);
});
