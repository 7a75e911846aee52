import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { retryAfterMs } from '../../../src/provider/retry-after.js';
import { RUNS } from '../../support/fuzz.js';

const NOW = Date.UTC(2026, 10, 23, 12);
const HOUR = 3_600_000;
const inMs = (headers: Record<string, string>) => retryAfterMs(new Headers(headers), NOW);

test('retry-after: any header values → null, or whole ms of at most an hour', () => {
  const value = fc.oneof(
    fc.string().map((text) => text.replace(/[^\x20-\x7e]/g, '')),
    fc.double().map(String),
    fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
  );
  fc.assert(
    fc.property(fc.record({ 'retry-after': value, 'retry-after-ms': value }, { requiredKeys: [] }), (headers) => {
      const wait = inMs(headers);
      expect(wait).toSatisfy((ms: number | null) => ms === null || (Number.isInteger(ms) && ms >= 0 && ms <= HOUR));
    }),
    RUNS,
  );
});
