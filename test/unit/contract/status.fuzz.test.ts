import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  BATCH_STATUS_RULES,
  BATCH_STATUSES,
  FINE_TUNING_STATUS_RULES,
  FINE_TUNING_STATUSES,
  isBatchEnd,
  isFineTuningEnd,
} from '../../../src/contract/status.js';
import { RUNS, anyText } from '../../support/fuzz.js';
const odd = fc.oneof(
  anyText,
  fc.constantFrom('complete', 'COMPLETED', ' failed', 'constructor', 'length', '0', 'cancel_requested', 'error'),
);

test('status: any text that no table has → neither known nor an end', () => {
  fc.assert(
    fc.property(odd, (status) => {
      fc.pre(!(BATCH_STATUSES as readonly string[]).includes(status));
      fc.pre(!(FINE_TUNING_STATUSES as readonly string[]).includes(status));
      const says = [isBatchEnd, isFineTuningEnd, BATCH_STATUS_RULES.isKnown, FINE_TUNING_STATUS_RULES.isKnown].map(
        (is) => is(status),
      );
      expect(says).toEqual([false, false, false, false]);
    }),
    RUNS,
  );
});

test('step back: to or from an unknown status, or to the same one → never', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(BATCH_STATUS_RULES, FINE_TUNING_STATUS_RULES),
      fc.constantFrom(...BATCH_STATUSES, ...FINE_TUNING_STATUSES),
      fc.string().map((text) => `?${text}`),
      (rules, known, unknown) => {
        expect(rules.isStepBack(known, known)).toBe(false);
        expect(rules.isStepBack(known, unknown)).toBe(false);
        expect(rules.isStepBack(unknown, known)).toBe(false);
      },
    ),
    RUNS,
  );
});
