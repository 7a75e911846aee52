import { describe, expect, it } from 'vitest';
import type { FileRef } from '../../../src/contract/file-ref.js';
import { collectResults } from '../../../src/results/collect.js';
import { collected, sourcesOf, collect, idsIn } from '../../support/collecting.js';
import { jsonl, success, failure, unfinished } from '../../support/result-lines.js';
import { bytesOf, textOf } from '../../support/streams.js';

async function counted(content: AsyncIterable<Uint8Array>): Promise<FileRef> {
  const { length } = await textOf(content);
  return { uri: 'file:///any', bytes: length, lines: 1, sha256: '' };
}

describe('judgement', () => {
  it.each<[string, unknown, 'succeeded' | 'failed' | 'unfinished']>([
    ['200', success('a'), 'succeeded'],
    ['201', { ...success('a'), response: { status_code: 201, body: {} } }, 'succeeded'],
    ['a null-filled error', { ...success('a'), error: { code: null, message: null } }, 'succeeded'],
    ['no error field', { ...success('a'), error: undefined }, 'succeeded'],
    ['200 with a real error', { ...success('a'), error: { code: 'server_error', message: 'x' } }, 'failed'],
    ['400 with error null', failure('a'), 'failed'],
    ['429', failure('a', 429), 'failed'],
    ['500', failure('a', 500), 'failed'],
    ['status 0', failure('a', 0), 'failed'],
    ['status null', { ...failure('a'), response: { status_code: null, body: null } }, 'failed'],
    ['no response, an error', { custom_id: 'a', response: null, error: { code: 'server_error' } }, 'failed'],
    ['no response, no error', { custom_id: 'a' }, 'failed'],
    ['expired', unfinished('a'), 'unfinished'],
    ['cancelled', unfinished('a', 'batch_cancelled'), 'unfinished'],
    ['expired, with a null-filled response', { ...unfinished('a'), response: { status_code: 0, body: null } }, 'unfinished'],
  ])('line: %s → %s, in whichever file it is', async (_, line, outcome) => {
    for (const file of ['output', 'errors'] as const) {
      const { lines, output, errors } = await collect({ ids: ['a'], [file]: jsonl(line) });
      expect(lines).toEqual({ succeeded: 0, failed: 0, unfinished: 0, missing: 0, [outcome]: 1 });
      expect(outcome === 'succeeded' ? output : errors).toBe(jsonl(line));
      expect(outcome === 'succeeded' ? errors : output).toBe('');
    }
  }); // prettier-ignore
});

describe('collectResults', () => {
  it('results: one of each kind → four counts that sum, each id once, lines as the provider wrote them', async () => {
    const output = `${JSON.stringify(success('c'))}   \r\n${JSON.stringify(success('a'))}`;
    const errors = jsonl(unfinished('d'), failure('b'));
    const result = await collect({ ids: ['a', 'b', 'c', 'd', 'e'], output, errors });
    expect(result).toMatchObject({
      total: 5,
      lines: { succeeded: 2, failed: 1, unfinished: 1, missing: 1 },
      anomalies: { duplicates: 0, unknownIds: 0, unreadable: 0 },
      usage: { inputTokens: 6, outputTokens: 4, totalTokens: 10, cachedTokens: 0, reasoningTokens: 0 },
      model: 'gpt-4o-mini-2024-07-18',
      examples: { missing: ['e'], duplicates: [], unknownIds: [] },
    });
    expect(result.output).toBe(`${JSON.stringify(success('c'))}   \n${JSON.stringify(success('a'))}\n`);
    const [expired, failed, missing, ...rest] = result.errors.split('\n');
    expect([expired, failed, ...rest]).toEqual([JSON.stringify(unfinished('d')), JSON.stringify(failure('b')), '']);
    expect(JSON.parse(missing!)).toEqual({
      id: null,
      custom_id: 'e',
      response: null,
      error: { code: 'missing', message: expect.any(String) as string },
    });
  });

  it('results: all succeeded → no errors file; none succeeded → no output file', async () => {
    const good = await collect({ ids: ['a'], output: jsonl(success('a')), errors: '' });
    expect(good.files.errors).toBeNull();
    const bad = await collect({ ids: ['a'], errors: jsonl(failure('a')) });
    expect(bad.files.output).toBeNull();
  });

  it('results: no files at all → everything missing', async () => {
    const result = await collect({ ids: ['a', 'b'] });
    expect(result.lines).toEqual({ succeeded: 0, failed: 0, unfinished: 0, missing: 2 });
    expect(idsIn(result.errors)).toEqual(['a', 'b']);
  });

  it.each(['batch_expired', 'batch_cancelled'] as const)(
    'results: a batch that ended early (%s) → requests without a result are unfinished, not missing',
    async (code) => {
      const sources = sourcesOf({ ids: ['a', 'b', 'c'], output: jsonl(success('a')), errors: jsonl(unfinished('b')) });
      const { summary, errors } = await collected({ ...sources, endedEarly: { code, completed: 1 } });
      expect(summary.lines).toEqual({ succeeded: 1, failed: 0, unfinished: 2, missing: 0 });
      const [, line] = errors!.split('\n');
      expect(JSON.parse(line!)).toMatchObject({ custom_id: 'c', response: null, error: { code } });
    },
  );

  it('duplicates: a failure, then two successes → the first success, counted and paid once', async () => {
    const second = success('a', { prompt_tokens: 100, completion_tokens: 100, total_tokens: 200 });
    const output = jsonl(failure('a'), success('a'), second);
    const result = await collect({ ids: ['a'], output, errors: jsonl(failure('a', 500)) });
    expect(result).toMatchObject({
      lines: { succeeded: 1, failed: 0 },
      anomalies: { duplicates: 3 },
      usage: { totalTokens: 5 },
      examples: { duplicates: ['a'] },
      output: jsonl(success('a')),
      errors: '',
      unreadable: jsonl(second, failure('a', 500), failure('a')),
    });
  });

  it('duplicates: an unfinished line and a failure → the failure', async () => {
    const result = await collect({ ids: ['a'], output: jsonl(unfinished('a')), errors: jsonl(failure('a')) });
    expect(result).toMatchObject({ lines: { failed: 1, unfinished: 0 }, errors: jsonl(failure('a')) });
  });

  it('unknownIds: ids that the input does not have → reported, in neither file', async () => {
    const result = await collect({ ids: ['a'], output: jsonl(success('a'), success('x'), failure('A')) });
    expect(result).toMatchObject({
      total: 1,
      anomalies: { unknownIds: 2 },
      examples: { unknownIds: ['x', 'A'] },
      output: jsonl(success('a')),
      errors: '',
    });
  });

  it('unreadable: a cut last line, no id, not JSON → counted and kept raw, and the id unreadable', async () => {
    const cutLine = JSON.stringify(success('b')).slice(0, -20);
    const output = `${jsonl(success('a'), '<html>', { response: {} }, '[]')}${cutLine}`;
    const result = await collect({ ids: ['a', 'b'], output });
    expect(result).toMatchObject({
      lines: { succeeded: 1, failed: 0, unfinished: 0, missing: 1 },
      anomalies: { unreadable: 3, unknownIds: 1 },
      output: jsonl(success('a')),
      unreadable: `<html>\n{"response":{}}\n[]\n${cutLine}\n`,
    });
    expect(result.errors).toContain('"code":"unreadable"');
    expect(idsIn(result.errors)).toEqual(['b']);
  });

  it('input: not readable → the ids of the results, nothing missing, no unknownIds', async () => {
    const output = jsonl(success('a'), success('a'));
    const result = await collect({ ids: null, output, errors: jsonl(failure('b')) });
    expect(result).toMatchObject({
      total: 2,
      lines: { succeeded: 1, failed: 1, unfinished: 0, missing: 0 },
      anomalies: { duplicates: 1, unknownIds: 0 },
    });
  });

  it('usage: with the names of chat, embeddings and responses, or nonsense → summed', async () => {
    const usages = [
      { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
      { prompt_tokens: 10, total_tokens: 10 },
      { input_tokens: 100, output_tokens: 200, total_tokens: 300 },
      { input_tokens: 1_000, output_tokens: 2_000 },
      null,
      { prompt_tokens: 'many', completion_tokens: -5, total_tokens: null },
    ];
    const lines = usages.map((usage, index) => success(`${index}`, usage));
    const { usage } = await collect({ ids: usages.map((_, index) => `${index}`), output: jsonl(...lines) });
    expect(usage).toMatchObject({ inputTokens: 1_111, outputTokens: 2_202, totalTokens: 3_313 });
  });

  it('unsuccessful lines: changed before they are read again → an error', async () => {
    const sources = sourcesOf({ ids: ['a'], output: jsonl(failure('a')) });
    const unsuccessful = { write: counted, read: () => bytesOf('other\n') };
    const collecting = collectResults(sources, {
      writeOutput: counted,
      writeErrors: counted,
      writeUnreadable: counted,
      unsuccessful,
    });
    await expect(collecting).rejects.toThrow('when read again');
  });

  it('a file that cannot be written → its error, and the other one is aborted', async () => {
    const output = Array.from({ length: 20_000 }, (_, index) => success(`${index}`));
    const ends: unknown[] = [];
    const abortable = async (content: AsyncIterable<Uint8Array>): Promise<never> => {
      try {
        for await (const _ of content);
      } catch (error) {
        ends.push(error);
      }
      throw new Error('aborted');
    };
    const full = new Error('the disk is full');
    const unsuccessful = { write: abortable, read: () => bytesOf() };
    const writeOutput = () => Promise.reject(full);
    const sources = sourcesOf({ ids: null, output: jsonl(failure('a'), ...output) });
    const sinks = { writeOutput, writeErrors: abortable, writeUnreadable: abortable, unsuccessful };
    await expect(collectResults(sources, sinks)).rejects.toBe(full);
    expect(ends).toEqual([full]);
  });

  it('a source that fails → its error, and no file is written', async () => {
    const broken = new Error('cut');
    const cutOff = async function* () {
      yield* bytesOf(jsonl(success('a'), failure('b')));
      throw broken;
    };
    await expect(collected({ input: null, output: cutOff, errors: null })).rejects.toBe(broken);
  });

  it('ids: 200,000 of them, the results shuffled → every one accounted for, in a few dozen bytes each', async () => {
    const count = 200_000;
    const generate = (line: (index: number) => unknown, step: number) =>
      async function* () {
        for (let start = 0; start < count; start += 1_000) {
          const lines = Array.from({ length: 1_000 }, (_, offset) => line(((start + offset) * step) % count));
          yield Buffer.from(jsonl(...lines.filter((value) => value !== null)));
        }
      };
    const { summary, errors } = await collected({
      input: generate((index) => ({ custom_id: `request-${index}` }), 1),
      output: generate((index) => (index % 10 === 0 ? null : success(`request-${index}`)), 77_777),
      errors: generate((index) => (index % 20 === 0 ? failure(`request-${index}`) : null), 99_999),
    });
    expect(summary.lines).toEqual({ succeeded: 180_000, failed: 10_000, unfinished: 0, missing: 10_000 });
    const ids = idsIn(errors!);
    expect(new Set(ids).size).toBe(20_000);
    expect(ids[10_000]).toBe('request-10');
  });

  it('ids: numbers, or with other white space around them → matched where one request is meant, and written right', async () => {
    const ids = ['1', '007', ' padded', 'inner space', '10', '010', ' twice', 'twice '];
    const lines = [1, 7, 'padded ', ' inner space ', 10, 'twice', null, ['1']].map((customId) => ({
      ...success('x'),
      custom_id: customId,
    }));
    const result = await collect({ ids, output: jsonl(...lines) });
    expect(idsIn(result.output)).toEqual(['1', '007', ' padded', 'inner space']);
    expect(result.unreadable).toBe(jsonl(...lines.slice(4)));
    expect(result).toMatchObject({ lines: { succeeded: 4, missing: 4 }, anomalies: { unknownIds: 4, unreadable: 0 } });
    expect(result.examples.unknownIds).toEqual(['10', 'twice', 'null']);
    expect(result.output).toBe(jsonl(...ids.slice(0, 4).map((customId) => success(customId))));
  });

  it('ids: null on every line → all kept raw, all paid, no request unfinished', async () => {
    const lines = ['a', 'b'].map((name) => ({ ...success(name), custom_id: null }));
    const sources = sourcesOf({ ids: ['a', 'b'], output: jsonl(...lines) });
    const { summary, errors, unreadable } = await collected({
      ...sources,
      endedEarly: { code: 'batch_expired', completed: 2 },
    });
    expect(unreadable).toBe(jsonl(...lines));
    expect(summary).toMatchObject({ lines: { missing: 2, unfinished: 0 }, usage: { totalTokens: 10 } });
    expect(errors).toContain('"code":"unreadable"');
  });

  it('a batch that ended early: fewer answers than it counts → requests without a line are missing, not unfinished', async () => {
    const sources = sourcesOf({ ids: ['a', 'b', 'c'], output: jsonl(success('a')), errors: jsonl(unfinished('b')) });
    const endedEarly = { code: 'batch_expired', completed: 2 } as const;
    const { summary } = await collected({ ...sources, endedEarly });
    expect(summary.lines).toEqual({ succeeded: 1, failed: 0, unfinished: 1, missing: 1 });
  });

  it('usage: failures, refusals, strangers and second answers → counted; a line that came twice → once', async () => {
    const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
    const refusal = { choices: [{ message: { refusal: 'no' } }], usage };
    const failed = { error: { message: 'x' }, usage };
    const output = jsonl(
      success('a', usage),
      success('a', usage),
      { ...success('a', usage), id: 'batch_req_other' },
      { ...success('b', usage), response: { status_code: 200, body: refusal } },
      { ...success('c', usage), response: { status_code: 500, body: failed } },
      success('stranger', usage),
    );
    const result = await collect({ ids: ['a', 'b', 'c'], output });
    expect(result.usage.totalTokens).toBe(10);
    expect(result.lines).toEqual({ succeeded: 1, failed: 2, unfinished: 0, missing: 0 });
    expect(result.answered).toBe(2);
  });

  it('a line of 40 MB → an answer like any other', async () => {
    const long = jsonl({ ...success('a'), padding: 'x'.repeat(40 * 1024 * 1024) });
    const result = await collect({ ids: ['a', 'b'], output: long + jsonl(success('b')) });
    expect(result.lines.succeeded).toBe(2);
    expect(result.output.length).toBe(long.length + jsonl(success('b')).length);
  });
});
