import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { batchSpecSchema } from '../../../src/contract/batch.js';
import { fineTuningSpecSchema } from '../../../src/contract/fine-tuning.js';
import { describeFaults, parseSpec } from '../../../src/contract/parse-spec.js';
import { RUNS, anyJson, anyOf, anyText } from '../../support/fuzz.js';

test('read spec: any value for a spec → read or reported, each fault with a message, none with a value of the spec', () => {
  const marker = 'the-value-that-nobody-may-quote';
  const keys = [...Object.keys(batchSpecSchema.shape), ...Object.keys(fineTuningSpecSchema.shape)];
  const hostile = fc.oneof(
    anyJson,
    anyOf(keys),
    fc.record(Object.fromEntries(keys.map((key) => [key, fc.constant(marker)])), { requiredKeys: [] }),
    fc.record({ input: anyOf(['fileId', 'uri', 'requests']), poll: anyOf(['min', 'max']), metadata: anyJson }),
  );
  fc.assert(
    fc.property(hostile, (value) => {
      for (const schema of [batchSpecSchema, fineTuningSpecSchema]) {
        const { spec, report } = parseSpec<z.ZodType>(schema, value);
        expect(report === undefined).toBe(spec !== undefined);
        expect(report?.total ?? 1).toBeGreaterThanOrEqual(report?.faults.length ?? 1);
        expect(report?.faults.length ?? 1).toBeGreaterThan(0);
        expect(report?.faults.every(({ message }) => message !== '') ?? true).toBe(true);
        expect(JSON.stringify(report ?? null)).not.toContain(marker);
      }
    }),
    RUNS,
  );
});

test('describe faults: a spec with a key of any text → one sentence within bounds', () => {
  fc.assert(
    fc.property(anyText, (key) => {
      const report = parseSpec(z.strictObject({ a: z.record(z.string(), z.number()) }), { a: { [key]: 'x' } }).report;
      expect(describeFaults(report ?? { faults: [], total: 0 }).length).toBeLessThanOrEqual(1_100);
    }),
    RUNS,
  );
});
