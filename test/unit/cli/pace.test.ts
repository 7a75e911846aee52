import { expect, test } from 'vitest';
import { durationText, Pace, rateText } from '../../../src/cli/pace.js';

const MINUTE = 60_000;

test('nothing seen to get done → neither rate nor time left', () => {
  const pace = new Pace();
  expect(pace.rate(0)).toBeNull();
  pace.add(0, 5);
  pace.add(MINUTE, 5);
  expect([pace.rate(2 * MINUTE), pace.secondsUntil(10, 2 * MINUTE)]).toEqual([null, null]);
});

test('60 done in a minute → one per second, and it slows down while nothing comes', () => {
  const pace = new Pace();
  pace.add(0, 40);
  pace.add(MINUTE, 100);
  expect(pace.rate(MINUTE)).toBe(1);
  expect(pace.secondsUntil(400, MINUTE)).toBe(300);
  expect(pace.rate(2 * MINUTE)).toBe(0.5);
});

test('what is older than ten minutes → no longer counted', () => {
  const pace = new Pace();
  pace.add(0, 0);
  pace.add(MINUTE, 6_000);
  pace.add(20 * MINUTE, 6_019);
  expect(pace.rate(20 * MINUTE)).toBeCloseTo(1 / 60);
});

test('a count that falls, as in the next round of a bulk → begins anew', () => {
  const pace = new Pace();
  pace.add(0, 0);
  pace.add(MINUTE, 60);
  pace.add(2 * MINUTE, 10);
  expect(pace.rate(2 * MINUTE)).toBeNull();
  pace.add(3 * MINUTE, 70);
  expect(pace.rate(3 * MINUTE)).toBe(1);
});

test.each([
  [1_234.5, '1,235/s'],
  [5.21, '5.2/s'],
  [0.5, '30.0/min'],
  [0.001, '3.6/h'],
])('a rate of %d a second → %s', (rate, text) => {
  expect(rateText(rate)).toBe(text);
});

test.each([
  [0.2, '1 s'],
  [59, '59 s'],
  [61, '1 min'],
  [3_600, '1 h'],
  [11_100, '3 h 5 min'],
  [187_200, '2 d 4 h'],
])('%d s → %s', (seconds, text) => {
  expect(durationText(seconds)).toBe(text);
});
