import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { pollInterval } from '../../../../src/activities/calls/poll-interval.js';
import { RUNS } from '../../../support/fuzz.js';
const NOW = 1_800_000_000_000;

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const bounds = fc
  .tuple(fc.integer({ min: 1, max: 3_600_000 }), fc.integer({ min: 1, max: 3_600_000 }))
  .map(([a, b]) => ({ minMs: Math.min(a, b), maxMs: Math.max(a, b) }));
const age = fc.integer({ min: -86_400_000, max: 30 * 86_400_000 });

test('poll interval: any job → whole ms within the bounds and a fifth', () => {
  fc.assert(
    fc.property(bounds, age, random, ({ minMs, maxMs }, ageMs, chance) => {
      const times = { nowMs: NOW, createdAtMs: NOW - ageMs, expiresAtMs: null };
      const interval = pollInterval({ minMs, maxMs }, times, chance);
      expect(Number.isInteger(interval)).toBe(true);
      expect(interval).toBeGreaterThanOrEqual(Math.max(1, Math.floor(minMs * 0.8)));
      expect(interval).toBeLessThanOrEqual(Math.ceil(maxMs * 1.2));
    }),
    RUNS,
  );
});

test('poll interval: an older job with the same random number → never a shorter one', () => {
  fc.assert(
    fc.property(bounds, age, fc.nat(86_400_000), random, (limits, ageMs, more, chance) => {
      const at = (older: number) =>
        pollInterval(limits, { nowMs: NOW, createdAtMs: NOW - older, expiresAtMs: null }, chance);
      expect(at(ageMs + more)).toBeGreaterThanOrEqual(at(ageMs));
    }),
    RUNS,
  );
});

test('poll interval: any expiry ahead → no look later than two seconds after it, and never under 1 ms', () => {
  fc.assert(
    fc.property(bounds, age, random, fc.integer({ min: -2_000, max: 90_000_000 }), (limits, ageMs, chance, ahead) => {
      const times = { nowMs: NOW, createdAtMs: NOW - ageMs, expiresAtMs: NOW + ahead };
      const interval = pollInterval(limits, times, chance);
      const without = pollInterval(limits, { ...times, expiresAtMs: null }, chance);
      expect(interval).toBe(ahead + 2_000 > 0 ? Math.max(1, Math.min(without, ahead + 2_000)) : without);
    }),
    RUNS,
  );
});
