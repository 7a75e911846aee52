/** Schemas as people write them, in every draft of JSON Schema that is in use. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { fitsSchema } from '../../../src/results/answer-schema.js';

const triage = z.object({ pair: z.tuple([z.enum(['bug', 'question']), z.number()]), note: z.string().nullable() });

const pair = [{ type: 'string' }, { type: 'number' }];
const properties = (items: object) => ({ type: 'object', required: ['pair'], properties: { pair: items } });

/** Each wants a pair of a text and a number. */
const SCHEMAS: Readonly<Record<string, Record<string, unknown>>> = {
  'z.toJSONSchema (2020-12)': z.toJSONSchema(triage),
  'z.toJSONSchema with target draft-7': z.toJSONSchema(triage, { target: 'draft-7' }),
  'no $schema': properties({ type: 'array', prefixItems: pair, items: false, minItems: 2 }),
  '2019-09': {
    $schema: 'https://json-schema.org/draft/2019-09/schema',
    ...properties({ type: 'array', items: pair, additionalItems: false, minItems: 2 }),
  },
  'draft-07': {
    $schema: 'http://json-schema.org/draft-07/schema#',
    ...properties({ type: 'array', items: pair, additionalItems: false, minItems: 2 }),
  },
};

const bodyOf = (output: unknown) => ({
  choices: [{ index: 0, message: { role: 'assistant', content: JSON.stringify(output) }, finish_reason: 'stop' }],
});

test.each(Object.entries(SCHEMAS))('schema: %s → fits what it describes, and nothing else', (_, schema) => {
  const fit = fitsSchema(schema, 'text');
  expect(fit(bodyOf({ pair: ['bug', 1], note: null }))).toBe('fits');
  expect(fit(bodyOf({ pair: ['bug', 'one'], note: null }))).toBe('mismatched');
  expect(fit(bodyOf({ pair: ['bug', 1, 2], note: null }))).toBe('mismatched');
  expect(fit(bodyOf({ pair: [], note: null }))).toBe('mismatched');
});

test.each<[why: string, schema: Record<string, unknown>]>([
  ['an unknown type', { type: 'text' }],
  ['a draft that does not exist', { $schema: 'https://json-schema.org/draft/2099-01/schema', type: 'object' }],
  ['an address that is not resolved', { $ref: 'https://example.com/schema.json' }],
])('schema: %s → InvalidInput', (_, schema) => {
  expect(() => fitsSchema(schema, 'text')).toThrow(/^schema: invalid JSON schema: /);
});
