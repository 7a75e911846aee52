/** For some values zod itself throws. No reader of what comes from outside may. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { batchSpecSchema, bulkBatchSpecSchema, fineTuningSpecSchema } from '../../../src/client.js';
import { safeParse } from '../../../src/contract/safe-parse.js';
import { parseBatchSpec, parseBulkBatchSpec, parseFineTuningSpec } from '../../../src/contract/spec-parsers.js';
import { parseReply } from '../../../src/provider/reply.js';

/** Values whose length, size or text cannot be compared. */
const HOSTILE: readonly unknown[] = [
  { length: { toString: 'x' } },
  { length: { toString: 1, valueOf: 2 } },
  { length: [[{ toString: null, valueOf: null }]] },
  { size: { toString: 1, valueOf: 1 } },
  JSON.parse('{"length": {"__proto__": null, "toString": {}}}'),
  Object.assign(Object.create(null) as object, { length: Object.create(null) as object }),
];

/** Fields of specs that take any JSON. */
const ANY_JSON: ReadonlySet<string> = new Set(['extraBody', 'schema']);

test.each(HOSTILE.map((value) => [value]))('safe parse: %j in place of a text → a fault of its field', (value) => {
  const schema = z.object({ a: z.string().optional(), id: z.string().min(1).max(5) });
  const reading = safeParse(schema, { a: 'x', id: value });
  expect(reading.success).toBe(false);
  expect(reading.error?.issues[0]?.path).toEqual(['id']);
});

test('safe parse: a value that fits → its data', () => {
  expect(safeParse(z.object({ a: z.number().default(1) }), {})).toEqual({ success: true, data: { a: 1 } });
});

test.each([
  ['batch', parseBatchSpec, batchSpecSchema],
  ['bulk batch', parseBulkBatchSpec, bulkBatchSpecSchema],
  ['fine-tuning', parseFineTuningSpec, fineTuningSpecSchema],
] as const)('spec of a %s: such a value in any field → a report that names the field', (_, parse, schema) => {
  for (const field of Object.keys(schema.shape).filter((key) => !ANY_JSON.has(key))) {
    for (const value of HOSTILE) {
      const { report } = (parse as (spec: unknown) => { report?: { faults: readonly { field?: string }[] } })({
        [field]: value,
      });
      expect(report?.faults.map((fault) => fault.field?.slice(0, field.length))).toContain(field);
    }
  }
});

test('reply: such a value in place of an id → an unreadable reply', () => {
  for (const value of HOSTILE) {
    const { error } = parseReply(z.object({ id: z.string().min(1).max(9) }), { value: { id: value } });
    expect(error).toMatchObject({ status: null, code: 'unreadable_reply' });
  }
});
