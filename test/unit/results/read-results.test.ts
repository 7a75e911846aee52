/** Results as application code reads them: a value, or the reason why there is none. */
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { z } from 'zod';
import { readResults, type ReadResultsOptions, type Result } from '../../../src/results/read-results.js';
import { FileChangedError } from '../../../src/storage/checked-file.js';
import { Storage } from '../../../src/storage/storage.js';

let storage: Storage;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'llm-jobs-read-results-'));
  storage = new Storage({ roots: [pathToFileURL(`${folder}/`).href] });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Options = Omit<ReadResultsOptions<StandardSchemaV1>, 'storage'>;

async function fileOf(name: string, lines: readonly object[]) {
  const uri = storage.resolve(storage.defaultRoot, name);
  const content = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  await writeFile(fileURLToPath(uri), content);
  const sha256 = createHash('sha256').update(content).digest('hex');
  return { uri, bytes: Buffer.byteLength(content), lines: lines.length, sha256 };
}

async function read(output: readonly object[], errors: readonly object[], options: Options = {}) {
  const result = { output: await fileOf('output.jsonl', output), errors: await fileOf('errors.jsonl', errors) };
  const results: Result<unknown>[] = [];
  for await (const one of readResults(result, { storage, ...options })) results.push(one);
  return results;
}

const line = (body: unknown, more: object = {}) => ({
  custom_id: 'a',
  response: { status_code: 200, body },
  error: null,
  ...more,
});
const chat = (message: object, finish = 'stop') => ({ choices: [{ message, finish_reason: finish }] });
const structured: Options = { value: 'structuredOutput' };
/** A schema as another library than Zod may make it: it takes its time, and its value is another one than it was given. */
const SUM: StandardSchemaV1<unknown, number> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: async (value) => {
      const { sum } = value as { readonly sum: unknown };
      return typeof sum === 'number' ? { value: sum } : { issues: [{ message: 'no number', path: [{ key: 'sum' }] }] };
    },
  },
};
const codeOf = (result: Result<unknown> | undefined) => (result?.ok === false ? result.error.code : result?.value);

describe('readResults', () => {
  test.each<[string, object, Options, unknown]>([
    ['a null body', line(null), {}, 'no_body'],
    ['no body', { custom_id: 'a', response: { status_code: 200 } }, {}, 'no_body'],
    ['an error in the body', line({ error: { code: 'server_error', message: 'x' } }), {}, 'server_error'],
    ['a failed response', line({ status: 'failed', output: [], error: { code: 'server_error' } }), {}, 'server_error'],
    ['a refusal', line(chat({ content: null, refusal: 'no' })), {}, 'refused'],
    ['a refusal, structured', line(chat({ content: null, refusal: 'no' })), structured, 'refused'],
    ['a content filter', line(chat({ content: '' }, 'content_filter')), {}, 'filtered'],
    ['no text', line(chat({ content: null })), structured, 'no_text'],
    ['a text that is not JSON', line(chat({ content: 'four' })), structured, 'schema_mismatch'],
    ['a text that is only null', line(chat({ content: 'null' })), structured, 'schema_mismatch'],
    ['null where the schema allows it', line(chat({ content: 'null' })), { ...structured, schema: z.null() }, null],
    ['a cut text', line(chat({ content: '{"sum"' }, 'length')), structured, 'truncated'],
    ['a text', line(chat({ content: 'four' })), { value: 'text' }, 'four'],
    ['a text of JSON', line(chat({ content: '{"sum":4}' })), { value: 'text' }, '{"sum":4}'],
    ['no text where one is wanted', line(chat({ tool_calls: [{ function: { arguments: '4' } }] })), { value: 'text' }, 'no_text'],
    ['a text with a schema', line(chat({ content: 'four' })), { value: 'text', schema: z.enum(['five']) }, 'schema_mismatch'],
    ['a schema of another library', line(chat({ content: '{"sum":4}' })), { ...structured, schema: SUM }, 4],
    ['a schema of another library, not fitting', line(chat({ content: '{"sum":"4"}' })), { ...structured, schema: SUM }, 'schema_mismatch'],
    ['a tool call', line(chat({ tool_calls: [{ function: { arguments: '4' } }] })), structured, 4],
    ['a tool call that is not asked for', line(chat({ tool_calls: [{ function: { arguments: '4' } }] })), { ...structured, structuredOutput: 'text' }, 'no_text'],
    ['the body as the response', { custom_id: 'a', response: chat({ content: '4' }) }, structured, 4],
    ['an odd status', { ...line(chat({ content: '4' })), response: { status_code: {}, body: chat({ content: '4' }) } }, structured, 4],
  ])('%s → its code, or its value', async (_, of, options, expected) => {
    expect(codeOf((await read([of], [], options))[0])).toEqual(expected);
  }); // prettier-ignore

  test('an id that is a number → as text', async () => {
    const [result] = await read([line({ data: [1] }, { custom_id: 7 })], []);
    expect(result).toEqual({ customId: '7', ok: true, value: { data: [1] } });
  });

  test('answers among the errors → never ok, with the reason of the bulk batch', async () => {
    const answer = chat({ content: '{"sum":4}' });
    const results = await read(
      [],
      [
        line(answer, { outcome: 'mismatched' }),
        line(chat({ content: null }), { outcome: 'noText' }),
        line(chat({ content: '{"sum":4}' }, 'length'), { outcome: 'truncated' }),
      ],
    );
    expect(results.map(codeOf)).toEqual(['schema_mismatch', 'no_text', 'truncated']);
  });

  test('a value that is nested too deeply for the schema → a mismatch', async () => {
    type Nested = [] | [Nested];
    const nested: z.ZodType<Nested> = z.lazy(() => z.union([z.tuple([]), z.tuple([nested])]));
    const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;
    const [result] = await read([line(chat({ content: deep }))], [], { ...structured, schema: nested });
    expect(codeOf(result)).toBe('schema_mismatch');
  });

  test('a schema of the caller that throws → its error, not a mismatch', async () => {
    const broken = z.string().transform(() => {
      throw new Error('a fault of the caller');
    });
    const options = { ...structured, schema: z.object({ sum: broken }) };
    await expect(read([line(chat({ content: '{"sum":"4"}' }))], [], options)).rejects.toThrow('a fault of the caller');
  });

  test('a mismatch of another library → its path and message', async () => {
    const [result] = await read([line(chat({ content: '{"sum":"4"}' }))], [], { ...structured, schema: SUM });
    expect(result).toMatchObject({ ok: false, error: { message: 'sum: no number' } });
  });

  test.each([
    ['cut', (content: string) => content.slice(0, -1)],
    ['changed', (content: string) => content.replace('four', 'five')],
  ])(
    'a file that was %s since it was written → FileChangedError, unless that is not to be verified',
    async (_, change) => {
      const output = await fileOf('changed.jsonl', [line(chat({ content: 'four' }))]);
      const path = fileURLToPath(output.uri);
      await writeFile(path, change(await readFile(path, 'utf8')));
      const readAll = async (options: Options) => {
        const results = [];
        for await (const one of readResults({ output, errors: null }, { storage, ...options })) results.push(one);
        return results;
      };
      await expect(readAll({})).rejects.toThrow(FileChangedError);
      await expect(readAll({ verify: false })).resolves.toHaveLength(1);
    },
  );

  test('types: a text is a string, a schema gives its output, anything else is unknown', () => {
    const result = { output: null, errors: null };
    expectTypeOf(readResults(result, { storage, value: 'text' })).toEqualTypeOf<AsyncGenerator<Result<string>>>();
    expectTypeOf(readResults(result, { storage, schema: SUM })).toEqualTypeOf<AsyncGenerator<Result<number>>>();
    expectTypeOf(readResults(result, { storage, schema: z.object({ a: z.string() }) })).toEqualTypeOf<
      AsyncGenerator<Result<{ a: string }>>
    >();
    expectTypeOf(readResults(result, { storage })).toEqualTypeOf<AsyncGenerator<Result<unknown>>>();
  });
});
