import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { classify } from '../../../src/provider/error-table.js';
import { OPERATIONS } from '../../support/api-errors.js';
import { RUNS, anyText } from '../../support/fuzz.js';

const NO_DETAILS = { code: null, type: null, param: null, requestId: null, retryAfterMs: null, shouldRetry: null };

test('verdict: any error of any call → one of the three, and no answer, 5xx and 429 never refused unless the words say so', () => {
  const status = fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 999 }));
  fc.assert(
    fc.property(fc.constantFrom(...OPERATIONS), status, anyText, fc.integer({ min: 1, max: 50 }), (...given) => {
      const [operation, code, text, attempt] = given;
      const verdict = classify(operation, { ...NO_DETAILS, status: code, message: text }, attempt);
      const passes =
        code === null ||
        code >= 500 ||
        code === 408 ||
        (code === 429 && !/quota|billing|credit|balance|funds/i.test(text));
      expect(passes ? ['unavailable', 'noCapacity'] : ['unavailable', 'noCapacity', 'refused']).toContain(verdict);
    }),
    RUNS,
  );
});
