import { expect, test } from 'vitest';
import { z } from 'zod';
import { isAmbiguous } from '../../../src/provider/error-table.js';
import { errorWithoutReply, parseReply } from '../../../src/provider/reply.js';

const schema = z.object({ id: z.string(), at: z.object({ created: z.number() }) });

test('parse reply: a value that the schema accepts → the value', () => {
  const value = { id: 'batch_1', at: { created: 1 } };
  expect(parseReply(schema, { value })).toEqual({ value });
});

test('parse reply: an error → the same error', () => {
  const error = { ...errorWithoutReply('not found'), status: 404 };
  expect(parseReply(schema, { error })).toEqual({ error });
});

test.each<[value: unknown, fields: string]>([
  [{ at: {} }, 'id, at.created'],
  ['<html>', '(the reply)'],
  [null, '(the reply)'],
])(
  'parse reply: %j → an error that names what is wrong, and leaves open whether it was carried out',
  (value, fields) => {
    const { error } = parseReply(schema, { value });
    expect(error).toEqual(errorWithoutReply(`unexpected reply: missing or invalid ${fields}`, 'unreadable_reply'));
    expect(error && isAmbiguous(error)).toBe(true);
  },
);
