import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { toMs } from '../../../src/contract/duration.js';
import { durationSchema, idSchema } from '../../../src/contract/spec-fields.js';
import { RUNS, anyText } from '../../support/fuzz.js';

test('duration: any text → refused, or a finite number of ms of 0 or more', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const reading = durationSchema.safeParse(text);
      const ms = reading.success ? toMs(reading.data) : 0;
      expect(Number.isFinite(ms) && ms >= 0).toBe(true);
    }),
    RUNS,
  );
});

test('id: any text → refused, or one segment of a path that stays where it is', () => {
  fc.assert(
    fc.property(
      fc.oneof(anyText, fc.string({ unit: fc.constantFrom('.', '/', '\\', '%2e', '?', '#', 'a') })),
      (text) => {
        const reading = idSchema.safeParse(text);
        if (!reading.success || !reading.data.isWellFormed()) return;
        const { pathname, search, hash } = new URL(
          `http://host/v1/batches/${reading.data.replaceAll('%', '%25')}/cancel`,
        );
        expect(pathname).toMatch(/^\/v1\/batches\/[^/]+\/cancel$/);
        expect(search + hash).toBe('');
      },
    ),
    RUNS,
  );
});
