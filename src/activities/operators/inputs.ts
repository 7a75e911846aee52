/**
 * Inputs that people type. They are read leniently: a bare id, no provider, or null for what is absent. The inputs of
 * workflows are complete, and pass unchanged.
 */
import * as z from 'zod';
import type { CheckBatchInputInput } from '../../contract/activities/batch.js';
import type { CancelInput } from '../../contract/activities/jobs.js';
import { batchRequestSchema } from '../../contract/batch.js';
import { invalidInput } from '../../contract/failures.js';
import { parseSent } from '../../contract/absent-fields.js';
import { idSchema, uriSchema } from '../../contract/spec-fields.js';

const provider = z.string().min(1).max(100).default('default');

const jobFields = { id: idSchema, provider };
/** Of a workflow of a later version, inputs may have further fields. */
const cancelSchema = z.looseObject({
  ...jobFields,
  /** The job is read first, and cancelled only if it still runs. */
  isAgain: z.boolean().default(true),
});
const collectSchema = z.strictObject({ ...jobFields, outputUri: uriSchema.optional() });
const orphansSchema = z.strictObject({
  provider,
  days: z.number().positive().max(3_650).default(30),
  cancel: z.boolean().default(false),
});
const checkSchema = z.looseObject({
  input: z.union(
    [
      z.strictObject({ uri: uriSchema }),
      z.strictObject({ fileId: idSchema }),
      z.strictObject({ requests: z.array(batchRequestSchema).min(1) }),
    ],
    { error: 'must be { uri }, { fileId } or { requests }' },
  ),
  endpoint: z.string().default('/v1/chat/completions'),
  provider,
  check: z.boolean().default(true),
  outputUri: uriSchema.nullable().default(null),
  filename: z.string().min(1).default('checked-by-hand.jsonl'),
});

export const cancelInputOf = (input: unknown): CancelInput => read(cancelSchema, asId(input));

export const collectInputOf = (input: unknown) => read(collectSchema, asId(input));

export const orphansInputOf = (input: unknown) => read(orphansSchema, input ?? {});

/** A bare text is the URI of a file, or the id of one at the provider. */
export function checkInputOf(input: unknown): CheckBatchInputInput {
  return read(checkSchema, typeof input === 'string' ? { input: sourceOf(input) } : unnested(input));
}

const asId = (input: unknown): unknown => (typeof input === 'string' ? { id: input } : input);

const sourceOf = (text: string) => (/^\w+:\/\//.test(text) ? { uri: text } : { fileId: text });

/** People write `{ uri, endpoint }`, where a spec has `{ input: { uri }, endpoint }`. */
function unnested(input: unknown): unknown {
  if (typeof input !== 'object' || input === null || 'input' in input) return input;
  const { uri, fileId, requests, ...others } = input as Readonly<Record<string, unknown>>;
  return { ...others, input: { uri, fileId, requests } };
}

/** @throws ApplicationFailure `InvalidInput` */
function read<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const { spec, report } = parseSent(schema, value);
  if (report) throw invalidInput(report);
  return spec;
}
