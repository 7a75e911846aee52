import { expect, test } from 'vitest';
import { retryAfterMs } from '../../../src/provider/retry-after.js';

const NOW = Date.UTC(2026, 10, 23, 12);
const HOUR = 60 * 60 * 1_000;
const inMs = (headers: Record<string, string>) => retryAfterMs(new Headers(headers), NOW);

test.each<[why: string, headers: Record<string, string>, expected: number | null]>([
  ['seconds', { 'retry-after': '20' }, 20_000],
  ['no wait at all', { 'retry-after': '0' }, 0],
  ['a fraction of a second', { 'retry-after': '1.1' }, 1_100],
  ['spaces around it', { 'retry-after': '  7 ' }, 7_000],
  ['over 60 s, which the SDK ignores', { 'retry-after': '600' }, 600_000],
  ['an HTTP date', { 'retry-after': 'Mon, 23 Nov 2026 12:00:30 GMT' }, 30_000],
  [
    "an HTTP date, by the reply's own date: the worker's clock is an hour ahead",
    { 'retry-after': 'Mon, 23 Nov 2026 11:00:30 GMT', date: 'Mon, 23 Nov 2026 11:00:00 GMT' },
    30_000,
  ],
  [
    "an HTTP date, by the reply's own date: the worker's clock is an hour behind",
    { 'retry-after': 'Mon, 23 Nov 2026 13:00:30 GMT', date: 'Mon, 23 Nov 2026 13:00:00 GMT' },
    30_000,
  ],
  [
    "an HTTP date, and a date of the reply that is none: by the worker's clock",
    { 'retry-after': 'Mon, 23 Nov 2026 12:00:30 GMT', date: 'today' },
    30_000,
  ],
  ['an HTTP date that has passed', { 'retry-after': 'Mon, 23 Nov 2026 11:59:59 GMT' }, null],
  ['more than an hour', { 'retry-after': '1000000' }, HOUR],
  ['a date years off', { 'retry-after': 'Fri, 01 Jan 2100 00:00:00 GMT' }, HOUR],
  ['negative seconds', { 'retry-after': '-5' }, null],
  ['infinity', { 'retry-after': 'Infinity' }, null],
  ['words', { 'retry-after': 'soon' }, null],
  ['nothing', { 'retry-after': '' }, null],
  ['no header', {}, null],
  ['milliseconds', { 'retry-after-ms': '1500' }, 1_500],
  ['a fraction of a millisecond', { 'retry-after-ms': '1500.4' }, 1_500],
  ['milliseconds and seconds: the milliseconds win', { 'retry-after-ms': '1500', 'retry-after': '9' }, 1_500],
  ['0 ms and seconds: the milliseconds win', { 'retry-after-ms': '0', 'retry-after': '9' }, 0],
  ['milliseconds over an hour', { 'retry-after-ms': '1e12' }, HOUR],
  ['unreadable milliseconds: the seconds', { 'retry-after-ms': 'x', 'retry-after': '9' }, 9_000],
  ['negative milliseconds: the seconds', { 'retry-after-ms': '-1', 'retry-after': '9' }, 9_000],
])('retry-after: %s %j → %j', (_, headers, expected) => {
  expect(inMs(headers)).toBe(expected);
});

test('retry-after: no headers → null', () => {
  expect(retryAfterMs(undefined, NOW)).toBeNull();
});
