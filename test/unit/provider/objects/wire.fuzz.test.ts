import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { wireTime } from '../../../../src/provider/objects/wire.js';
import { RUNS, anyJson } from '../../../support/fuzz.js';

describe('time', () => {
  // A worker far from Greenwich reads the same.
  beforeAll(() => vi.stubEnv('TZ', 'Asia/Tokyo'));
  afterAll(() => vi.unstubAllEnvs());

  test('any value → refused, or whole seconds that a Date can hold', () => {
    const time = fc.oneof(
      anyJson,
      fc.double(),
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    );
    fc.assert(
      fc.property(time, (value) => {
        const { success, data = 1 } = wireTime.safeParse(value);
        expect(Number.isInteger(data) && data >= 0).toBe(true);
        expect(() => new Date(data * 1_000).toISOString()).not.toThrow();
        expect(success || data === 1).toBe(true);
      }),
      RUNS,
    );
  });
});
