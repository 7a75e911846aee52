import { expect, test } from 'vitest';
import { pollInterval } from '../../../../src/activities/calls/poll-interval.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const BOUNDS = { minMs: 5 * SECOND, maxMs: 5 * MINUTE };
const NOW = 1_800_000_000_000;
/** The random number that results in no jitter. */
const NO_JITTER = 0.5;
const ofAge = (ageMs: number, random = NO_JITTER) =>
  pollInterval(BOUNDS, { nowMs: NOW, createdAtMs: NOW - ageMs, expiresAtMs: null }, random);

test.each([
  [0, 5 * SECOND],
  [30 * SECOND, 5 * SECOND],
  [2 * MINUTE, 12 * SECOND],
  [10 * MINUTE, MINUTE],
  [50 * MINUTE, 5 * MINUTE],
  [24 * 60 * MINUTE, 5 * MINUTE],
])('poll interval: a job of %i ms → %i ms', (ageMs, expected) => {
  expect(ofAge(ageMs)).toBe(expected);
});

test('poll interval: no time of creation, or one ahead of the clock → the shortest', () => {
  expect(pollInterval(BOUNDS, { nowMs: NOW, createdAtMs: null, expiresAtMs: null }, NO_JITTER)).toBe(BOUNDS.minMs);
  expect(ofAge(-MINUTE)).toBe(BOUNDS.minMs);
});

test('poll interval: the extremes of the random number → a fifth less and a fifth more', () => {
  expect(ofAge(10 * MINUTE, 0)).toBe(48 * SECOND);
  expect(ofAge(10 * MINUTE, 0.999_999_999)).toBe(72 * SECOND);
});

test('poll interval: minimum above the maximum → the minimum', () => {
  const times = { nowMs: NOW, createdAtMs: NOW - 60 * MINUTE, expiresAtMs: null };
  expect(pollInterval({ minMs: 10 * MINUTE, maxMs: MINUTE }, times, NO_JITTER)).toBe(10 * MINUTE);
});

test('poll interval: bounds of 0 → still 1 ms', () => {
  const times = { nowMs: NOW, createdAtMs: NOW - MINUTE, expiresAtMs: null };
  expect(pollInterval({ minMs: 0, maxMs: 0 }, times, NO_JITTER)).toBe(1);
});

test('poll interval: expiry before the next poll → a poll two seconds after it', () => {
  const times = { nowMs: NOW, createdAtMs: NOW - 24 * 60 * MINUTE, expiresAtMs: NOW + MINUTE };
  expect(pollInterval(BOUNDS, times, NO_JITTER)).toBe(MINUTE + 2 * SECOND);
});

test('poll interval: expiry long past → as if there were none', () => {
  const times = { nowMs: NOW, createdAtMs: NOW - 24 * 60 * MINUTE, expiresAtMs: NOW - MINUTE };
  expect(pollInterval(BOUNDS, times, NO_JITTER)).toBe(BOUNDS.maxMs);
});
