/** The tables of docs/reference/contract.md name the fields of the specs. Its examples are compiled with all others. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  batchResultSchema,
  batchSpecSchema,
  bulkBatchResultSchema,
  bulkBatchSpecSchema,
  fineTuningResultSchema,
  fineTuningSpecSchema,
} from '../../../src/index.js';
import { readPage, ROOT } from '../../support/docs/pages.js';

const PATH = 'docs/reference/contract.md';
const text = readFileSync(join(ROOT, PATH), 'utf8');

/** The first column of the table that follows the comment. */
function fieldsOf(schema: string): string[] {
  const [, rest = ''] = text.split(`<!-- fields of ${schema} -->`);
  const table = rest.trimStart().split('\n\n')[0] ?? '';
  return [...table.matchAll(/^\| `(\w+)`/gm)].map(([, name = '']) => name);
}

test.each([
  ['batchSpecSchema', batchSpecSchema],
  ['bulkBatchSpecSchema', bulkBatchSpecSchema],
  ['fineTuningSpecSchema', fineTuningSpecSchema],
])('contract page: the table of %s → all fields and no others', (name, { shape }) => {
  expect(fieldsOf(name).toSorted()).toEqual(Object.keys(shape).toSorted());
});

test.each([
  ['BatchResult', batchResultSchema],
  ['BulkBatchResult', bulkBatchResultSchema],
  ['FineTuningResult', fineTuningResultSchema],
])('contract page: the example of %s → valid, and with no other field', (name, schema) => {
  const [example, ...others] = readPage(PATH).blocks.filter(({ typeName }) => typeName === name);
  const value: unknown = JSON.parse(example?.text ?? '');
  expect(schema.parse(value)).toEqual(value);
  expect(others).toEqual([]);
});
