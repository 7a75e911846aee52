import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  mergeResults,
  surveyResults,
  type AnswerPolicy,
  type BulkResultFiles,
  type MergeOptions,
} from '../../src/bulk/merge-results.js';
import { Storage } from '../../src/storage/storage.js';
import { fuzzRuns, sourceOf } from './support.js';

let folder: string;
let storage: Storage;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'llm-jobs-merge-test-'));
  storage = new Storage({ roots: [pathToFileURL(`${folder}/`).href] });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const POLICY: AnswerPolicy = { failed: 'retry', truncated: 'final' };
const ok = (id: string, body: object = { usage: { prompt_tokens: 2, completion_tokens: 3, total_tokens: 5 } }) => ({
  custom_id: id,
  response: { status_code: 200, body },
  error: null,
});
const failed = (id: string, status: number) => ({
  custom_id: id,
  response: { status_code: status, body: {} },
  error: null,
});
const expired = (id: string) => ({ custom_id: id, response: null, error: { code: 'batch_expired', message: 'x' } });

let files = 0;
async function fileOf(values: readonly object[]) {
  if (values.length === 0) return null;
  const uri = storage.resolve(storage.defaultRoot, `${(files += 1)}.jsonl`);
  const text = values.map((value) => `${JSON.stringify(value)}\n`).join('');
  await storage.write(uri, sourceOf('', text).open());
  return { uri, open: (range?: { start: number }) => storage.read(uri, range) };
}

async function results(round: number, output: readonly object[], errors: readonly object[]): Promise<BulkResultFiles> {
  return { round, part: (files += 1), model: 'm', output: await fileOf(output), errors: await fileOf(errors) };
}

const inputOf = (ids: readonly string[]) => [
  sourceOf('file:///in', ids.map((id) => `${JSON.stringify({ custom_id: id })}\n`).join('')),
];

async function merge(
  ids: readonly string[],
  batches: readonly BulkResultFiles[],
  options: Partial<MergeOptions> = {},
  policy = POLICY,
) {
  const contents: Record<'output' | 'errors', Buffer> = { output: Buffer.alloc(0), errors: Buffer.alloc(0) };
  const writer = (name: 'output' | 'errors') => async (content: AsyncIterable<Uint8Array>) => {
    const uri = storage.resolve(storage.defaultRoot, `merged-${(files += 1)}`);
    const ref = await storage.write(uri, content);
    const chunks: Uint8Array[] = [];
    for await (const chunk of storage.read(uri)) chunks.push(chunk);
    contents[name] = Buffer.concat(chunks);
    return ref;
  };
  const merged = await mergeResults(inputOf(ids), batches, policy, {
    order: 'input',
    gzip: false,
    prices: null,
    writeOutput: writer('output'),
    writeErrors: writer('errors'),
    ...options,
  });
  const linesOf = (content: Buffer) =>
    (options.gzip ? gunzipSync(content) : content)
      .toString()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { custom_id: string; round?: number; fate?: string });
  return {
    merged,
    output: linesOf(contents.output),
    errors: contents.errors.length > 0 ? linesOf(contents.errors) : [],
  };
}

const idsOf = (lines: readonly { custom_id: string }[]) => lines.map(({ custom_id }) => custom_id);

describe('merge', () => {
  test('any outcomes over three rounds, shuffled → each request once, in input order, and it sums', async () => {
    const fate = fc.constantFrom('ok', 'fail', 'refuse', 'expire', 'none');
    const plan = fc.array(fc.tuple(fate, fate, fate), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(plan, fc.infiniteStream(fc.nat()), async (fates, random) => {
        const ids = fates.map((_, index) => `id "${index}" ä`);
        const batches: BulkResultFiles[] = [];
        const best = new Map<string, string>();
        for (const round of [0, 1, 2]) {
          const output: object[] = [];
          const errors: object[] = [];
          fates.forEach((steps, index) => {
            const id = ids[index] ?? '';
            // What is answered or refused is not asked again.
            if (['ok', 'refuse'].includes(best.get(id) ?? '')) return;
            const step = steps[round] ?? 'none';
            if (step === 'ok') output.push(ok(id));
            if (step === 'fail') errors.push(failed(id, 500));
            if (step === 'refuse') errors.push(failed(id, 400));
            if (step === 'expire') errors.push(expired(id));
            if (step !== 'none') best.set(id, step);
          });
          const shuffled = output.map((line) => ({ line, key: random.next().value ?? 0 }));
          batches.push(
            await results(
              round + 1,
              shuffled.toSorted((a, b) => a.key - b.key).map(({ line }) => line),
              errors,
            ),
          );
        }
        const { merged, output, errors } = await merge(ids, batches);
        const answered = ids.filter((id) => best.get(id) === 'ok');
        expect(idsOf(output)).toEqual(answered);
        expect(idsOf(errors)).toEqual(ids.filter((id) => best.get(id) !== 'ok'));
        const { succeeded, failed: bad, unfinished, missing } = merged.lines;
        expect([succeeded, succeeded + bad + unfinished + missing]).toEqual([answered.length, ids.length]);
        expect(merged.usage['m']?.totalTokens ?? 0).toBe(5 * answered.length);
      }),
      { numRuns: fuzzRuns(60) },
    );
  });

  test('what remains → its line with round and fate, or a line of ours', async () => {
    const batches = [await results(1, [], [failed('a', 500), expired('b')]), await results(2, [], [failed('a', 429)])];
    const { errors, merged } = await merge(['a', 'b', 'c'], batches);
    expect(errors).toMatchObject([
      { custom_id: 'a', round: 2, fate: 'failed', response: { status_code: 429 } },
      { custom_id: 'b', round: 1, fate: 'unfinished' },
      { custom_id: 'c', fate: 'missing', error: { code: 'missing' } },
    ]);
    expect(merged.lines).toEqual({ succeeded: 0, failed: 1, unfinished: 1, missing: 1 });
  });

  test('by custom_id, gzip → sorted, compressed, lines counted before compression', async () => {
    const { merged, output } = await merge(['c', 'a', 'b'], [await results(1, [ok('a'), ok('b'), ok('c')], [])], {
      order: 'customId',
      gzip: true,
    });
    expect(idsOf(output)).toEqual(['a', 'b', 'c']);
    expect(merged.output?.lines).toBe(3);
  });

  test('an answer that was rejected and one that was taken → both were paid for, one is in the output', async () => {
    const policy: AnswerPolicy = { ...POLICY, accepts: (body) => JSON.stringify(body).includes('good') };
    const usage = { prompt_tokens: 1_000_000, completion_tokens: 500_000 };
    const batches = [
      await results(1, [ok('a', { usage, text: 'bad' })], []),
      await results(2, [ok('a', { usage, text: 'good' })], []),
    ];
    const prices = { m: { inputPerMillion: 2, outputPerMillion: 8 } };
    const { merged, output } = await merge(['a'], batches, { prices }, policy);
    expect(output).toHaveLength(1);
    expect(merged.cost).toEqual({ total: 12, byModel: { m: 12 } });
  });
});

describe('survey', () => {
  test('after a round → open are the unfinished, the missing and the passing failures', async () => {
    const batch = await results(1, [ok('a')], [failed('b', 500), failed('c', 400), expired('d')]);
    const survey = await surveyResults(inputOf(['a', 'b', 'c', 'd', 'e']), [batch], POLICY);
    expect(survey.open).toBe(3);
    expect(['a', 'b', 'c', 'd', 'e', 'f'].filter(survey.isOpen)).toEqual(['b', 'd', 'e']);
  });

  test('truncated answers → open only where the policy says so', async () => {
    const batch = await results(1, [ok('a', { choices: [{ finish_reason: 'length' }] })], []);
    expect((await surveyResults(inputOf(['a']), [batch], POLICY)).open).toBe(0);
    expect((await surveyResults(inputOf(['a']), [batch], { ...POLICY, truncated: 'retry' })).open).toBe(1);
  });
});
