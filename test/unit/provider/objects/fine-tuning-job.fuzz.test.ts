import * as fc from 'fast-check';
import type OpenAI from 'openai';
import { expect, test } from 'vitest';
import { z } from 'zod';
import {
  checkpointSchema,
  fineTuningEventSchema,
  fineTuningObjectSchema,
} from '../../../../src/provider/objects/fine-tuning-job.js';
import { fileObjectSchema } from '../../../../src/provider/objects/file.js';
import { RUNS, anyJson, anyOf } from '../../../support/fuzz.js';

const FIELDS = [
  'id',
  'object',
  'status',
  'model',
  'fine_tuned_model',
  'training_file',
  'validation_file',
  'result_files',
  'trained_tokens',
  'hyperparameters',
  'method',
  'seed',
  'error',
  'metadata',
  'organization_id',
  'integrations',
  'created_at',
  'finished_at',
  'estimated_finish',
] as const satisfies (keyof OpenAI.FineTuning.FineTuningJob)[];

test('job, event, checkpoint, file: any value at all, and any value in any field → read or a ZodError, never another error', () => {
  const keys = [...FIELDS, 'job', 'level', 'message', 'data', 'metrics', 'step_number', 'filename', 'bytes'];
  const hostile = fc.oneof(
    anyJson,
    anyOf(keys),
    anyOf(keys).map((changes) => ({ id: 'x', status: 'running', ...changes })),
    anyOf(keys).map((job) => ({ job })),
  );
  fc.assert(
    fc.property(hostile, (value) => {
      for (const schema of [fineTuningObjectSchema, checkpointSchema, fileObjectSchema]) {
        const { success, data, error } = schema.safeParse(value);
        expect(success ? typeof data.id : error instanceof z.ZodError).toBe(success ? 'string' : true);
      }
      // Some providers send events without an id.
      const { success, data, error } = fineTuningEventSchema.safeParse(value);
      expect(success ? typeof data.message : error instanceof z.ZodError).toBe(success ? 'string' : true);
    }),
    RUNS,
  );
});
