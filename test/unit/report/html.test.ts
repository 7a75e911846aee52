import { expect, test } from 'vitest';
import { thinned } from '../../../src/report/charts.js';
import { duration, iso, table } from '../../../src/report/html.js';

test.each([
  [null, null],
  [-1, null],
  [0, '0 s'],
  [59.6, '1 min'],
  [3_661, '1 h 1 min'],
  [86_400, '1 d'],
  [90_061, '1 d 1 h'],
  [86_460, '1 d'],
])('duration: %s seconds → %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

test('iso: epoch seconds → UTC; none, or no time → null', () => {
  expect([1_764_180_000, 1_764_180_000.4, null, 1e15].map(iso)).toEqual([
    '2025-11-26T18:00:00Z',
    '2025-11-26T18:00:00Z',
    null,
    null,
  ]);
});

test('table: texts → escaped; numbers → with separators', async () => {
  const text = String(await table('A <b>', ['"'], [['<script>'], [12_345.5]]));
  expect(text).toContain('A &lt;b&gt;');
  expect(text).toContain('<td>&lt;script&gt;</td>');
  expect(text).toContain('<td class="number">12,345.5</td>');
});

test('thinned: more than the limit → so many, with the first and the last', () => {
  const all = Array.from({ length: 1_001 }, (_, index) => index);
  const some = thinned(all, 11);
  expect(some).toHaveLength(11);
  expect(some.slice(0, 2)).toEqual([0, 100]);
  expect(some.at(-1)).toBe(1_000);
  expect(thinned(all, 1_001)).toBe(all);
});
