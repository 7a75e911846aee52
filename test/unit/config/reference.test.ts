/** What docs/reference/configuration.md says is what the code does. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { accountSchema } from '../../../src/config/account-schema.js';
import { FIELD_OF_VARIABLE } from '../../../src/config/environment.js';
import { PRESETS } from '../../../src/config/presets.js';
import { configSchema } from '../../../src/config/schema.js';

const page = readFileSync(fileURLToPath(new URL('../../../docs/reference/configuration.md', import.meta.url)), 'utf8');
/** The rows of the tables of a section, without the heads. */
const rowsOf = (title: string): string[] =>
  (page.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '').split('\n').filter((line) => /^\| +`/.test(line));
/** What stands in code in a cell. */
const codeIn = (row: string, cell: number): string[] =>
  [...(row.split('|')[cell + 1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);

interface Definition {
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly innerType?: z.ZodType;
}

/** The fields below a schema, as `poll.min`; those of records are their own. */
function fieldsOf(schema: z.ZodType, prefix = ''): string[] {
  const { shape, innerType } = schema.def as Definition;
  if (innerType) return fieldsOf(innerType, prefix);
  if (!shape) return [prefix];
  return Object.entries(shape).flatMap(([name, field]) => fieldsOf(field, prefix === '' ? name : `${prefix}.${name}`));
}

describe('docs/reference/configuration.md', () => {
  test('the file → every field, and no other', () => {
    const documented = rowsOf('The file').flatMap((row) => codeIn(row, 0));
    expect(documented.toSorted()).toEqual(fieldsOf(configSchema).toSorted());
  });

  test('accounts → every field, trait and limit', () => {
    const rows = rowsOf('Accounts');
    const documented = rows.flatMap((row) => {
      const [name = '', ...more] = codeIn(row, 0);
      const isGroup = name === 'traits' || name === 'batchLimits';
      return isGroup ? codeIn(row, 1).map((field) => `${name}.${field}`) : [name, ...more];
    });
    expect(documented.toSorted()).toEqual(fieldsOf(accountSchema).toSorted());
  });

  test('presets → their addresses, variables, traits and limits', () => {
    const documented = rowsOf('Presets').map((row) => [0, 1, 2, 3, 4].map((cell) => codeIn(row, cell)));
    const expected = Object.entries(PRESETS).map(
      ([name, { baseURL, keyVariable, traits, batchLimits, unsupported }]) => [
        [name],
        [baseURL ?? (name === 'azure' ? 'endpoint' : 'baseURL')],
        [keyVariable ?? 'apiKey'],
        Object.entries({ ...traits, ...batchLimits }).map(([field, value]) =>
          `${field}: ${JSON.stringify(value)}`.replaceAll('"', ''),
        ),
        Object.keys(unsupported ?? {}),
      ],
    );
    expect(documented).toEqual(expected);
  });

  test('variables → each with the field that sets the same', () => {
    const documented = rowsOf('Environment variables').flatMap((row) =>
      codeIn(row, 0).map((name) => [name, codeIn(row, 1)[0]] as const),
    );
    expect(Object.fromEntries(documented)).toMatchObject(FIELD_OF_VARIABLE);
    const others = documented.map(([name]) => name).filter((name) => !(name in FIELD_OF_VARIABLE));
    expect(others).toEqual(['LLM_JOBS_CONFIG', 'LLM_JOBS_S3_PATH_STYLE', 'HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY']);
  });
});
