import { expect, test } from 'vitest';
import { Evidence } from '../../../../src/workflows/lifecycle/evidence.js';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Whether each of the observations, in minutes, completes the evidence. */
const observe = (neededMinutes: number, minutes: readonly number[], notBefore?: number) => {
  const evidence = new Evidence(neededMinutes * MINUTE);
  return minutes.map((at) => evidence.observe(at * MINUTE, notBefore === undefined ? undefined : notBefore * MINUTE));
};

test('evidence: observed all the time → complete after that time', () => {
  expect(observe(15, [0, 5, 10, 15])).toEqual([false, false, false, true]);
  expect(observe(15, [0, 1, 2, 3, 4, 5, 8, 11, 14.9])).not.toContain(true);
});

test('evidence: a day away, then many observations within a second → not complete', () => {
  const day = DAY / MINUTE;
  expect(observe(15, [0, day, day + 0.001, day + 0.002, day + 0.003, day + 0.01])).not.toContain(true);
  expect(observe(15, [day, day + 0.001])).not.toContain(true);
});

test('evidence: rare observations → complete after some of them', () => {
  expect(observe(60, [0, 120, 240, 360])).toEqual([false, false, false, true]);
});

test('evidence: time before a moment → does not count', () => {
  expect(observe(15, [0, 5, 10, 15, 20], 10)).not.toContain(true);
  expect(observe(15, [0, 5, 10, 15, 20, 25], 10)).toEqual([false, false, false, false, false, true]);
});

test('evidence: interrupted → the time until the next observation does not count', () => {
  const evidence = new Evidence(15 * MINUTE);
  expect([0, 5, 10].map((at) => evidence.observe(at * MINUTE))).not.toContain(true);
  evidence.interrupt();
  expect([16, 20].map((at) => evidence.observe(at * MINUTE))).not.toContain(true);
  expect(evidence.observe(21 * MINUTE)).toBe(true);
});

test('evidence: no time needed → the first observation is enough', () => {
  expect(observe(0, [0])).toEqual([true]);
});
