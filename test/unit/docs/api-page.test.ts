/** The API reference is what the package exports, and every part of it is described. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { readApi, type ApiField, type EntryPoint } from '../../support/docs/api-model.js';
import { apiPages } from '../../support/docs/api-page.js';
import { ROOT } from '../../support/docs/pages.js';

let entries: EntryPoint[] = [];
beforeAll(() => {
  entries = readApi();
});

/** Fields that are described elsewhere. */
const ELSEWHERE = new Map([
  ['FailureDetails', 'FAILURES says what each type means'],
  ['OpenAIClient', 'the methods are those of the package openai'],
]);
/** The objects of the local API are those of the API, and its errors and faults have the fields of the wire. */
const WITHOUT_FIELDS = 'temporal-llm-jobs/testing';

test('docs/reference/api → what `npm run docs:api` writes', async () => {
  const pages = apiPages(entries);
  for (const [path, text] of pages) {
    const file = join(ROOT, path);
    await mkdir(dirname(file), { recursive: true });
    if (process.env.LLM_JOBS_WRITE_DOCS) await writeFile(file, text);
    expect(await readFile(file, 'utf8').catch(() => 'no such page')).toBe(text);
  }
  expect(pages.size).toBe(entries.length + 1);
});

const undescribed = (path: string, fields: readonly ApiField[]): string[] =>
  fields.flatMap(({ signature, text, tags, fields: parts }) => {
    const name = `${path}.${signature}`;
    const isName = signature.startsWith('readonly name = ');
    const isDescribed = text !== '' || tags.some(({ name: tag }) => tag === 'param') || isName;
    return [...(isDescribed ? [] : [name]), ...undescribed(name, parts)];
  });

// A field of a schema that has a comment and is named here: `commonSpecFields` says how its comment is kept.
test('every export, and every field of an exported type → has a description', () => {
  const faults = entries.flatMap(({ name: entry, exports }) =>
    exports.flatMap(({ name, text, fields }) => [
      ...(text === '' ? [`${entry}: ${name}`] : []),
      ...(ELSEWHERE.has(name) || entry === WITHOUT_FIELDS ? [] : undescribed(name, fields)),
    ]),
  );
  expect(faults).toEqual([]);
});

test('optional fields of specs → each names its default', () => {
  const specs = entries.flatMap(({ exports }) =>
    exports.filter(({ name }) => /^(?:Batch|BulkBatch|FineTuning)Spec$/.test(name)),
  );
  const faults = specs.flatMap(({ name, fields }) =>
    fields
      .filter(({ signature, tags }) => signature.endsWith('?') && !tags.some(({ name: tag }) => tag === 'default'))
      .map(({ signature }) => `${name}.${signature}`),
  );
  expect(specs.length).toBeGreaterThan(2);
  expect(faults).toEqual([]);
});
