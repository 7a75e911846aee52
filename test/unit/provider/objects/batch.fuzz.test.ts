import * as fc from 'fast-check';
import type OpenAI from 'openai';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { batchObjectSchema } from '../../../../src/provider/objects/batch.js';
import { RUNS, anyJson, anyOf } from '../../../support/fuzz.js';

const OPTIONAL_FIELDS = [
  'object',
  'endpoint',
  'completion_window',
  'model',
  'input_file_id',
  'output_file_id',
  'error_file_id',
  'errors',
  'request_counts',
  'usage',
  'metadata',
  'created_at',
  'in_progress_at',
  'expires_at',
  'finalizing_at',
  'completed_at',
  'failed_at',
  'expired_at',
  'cancelling_at',
  'cancelled_at',
] as const satisfies (keyof OpenAI.Batch)[];

test('batch: any value at all, and any value in any field → a batch or a ZodError, never another error', () => {
  const hostile = fc.oneof(
    anyJson,
    anyOf(['id', 'status', ...OPTIONAL_FIELDS]).map((changes) => ({ id: 'batch_1', status: 'completed', ...changes })),
  );
  fc.assert(
    fc.property(hostile, (value) => {
      const { success, data, error } = batchObjectSchema.safeParse(value);
      expect(success || error instanceof z.ZodError).toBe(true);
      const { id, status, errors } = data ?? { id: 'x', status: 'x', errors: [] };
      expect([typeof id, typeof status, Array.isArray(errors)]).toEqual(['string', 'string', true]);
    }),
    RUNS,
  );
});

test('batch: any value in any field but id and status → still a batch', () => {
  fc.assert(
    fc.property(anyOf(OPTIONAL_FIELDS), (changes) => {
      const batch = batchObjectSchema.parse({ id: 'batch_1', status: 'completed', ...changes });
      expect(batch).toMatchObject({ id: 'batch_1', status: 'completed' });
    }),
    RUNS,
  );
});
