import { describe, expect, it } from 'vitest';
import { accountOf } from '../../../../src/activities/collect/batch-accounting.js';
import type { ResultFileLack } from '../../../../src/activities/calls/open-file.js';
import { BATCHES } from '../../../../src/provider/job-kinds.js';
import { collect } from '../../../support/collecting.js';
import { failure, jsonl, success, unfinished } from '../../../support/result-lines.js';

interface Case {
  status?: string;
  /** Total, completed, failed. */
  counts?: readonly [number, number, number];
  /** Of the input; null if it cannot be read. */
  ids?: string[] | null;
  output?: unknown[] | null;
  errors?: unknown[] | null;
  files?: ResultFileLack[];
}

const cutFile: ResultFileLack = { fileId: 'file-out', reason: 'file-out ended early', refusal: null };

const content = (lines: unknown[] | null | undefined) => (lines ? jsonl(...lines) : null);

async function account({ status = 'completed', counts, ids = ['a', 'b', 'c'], output, errors, files = [] }: Case) {
  const [total, completed, failed] = counts ?? [0, 0, 0];
  const batch = BATCHES.schema.parse({
    id: 'batch_1',
    status,
    output_file_id: output === undefined ? null : 'file-out',
    error_file_id: errors === undefined ? null : 'file-err',
    request_counts: { total, completed, failed },
  });
  const summary = await collect({ ids, output: content(output), errors: content(errors) });
  return accountOf(batch, summary, { files, isInputKnown: ids !== null });
}

const a = success('a');
const b = success('b');
const c = success('c');

describe('what is complete', () => {
  it.each<[string, Case]>([
    ['every answer', { counts: [3, 3, 0], output: [a, b, c] }],
    ['answers and failures', { counts: [3, 2, 1], output: [a, b], errors: [failure('c')] }],
    ['failed requests counted as completed, too', { counts: [3, 3, 1], output: [a, b], errors: [failure('c')] }],
    ['no counts', { output: [a, b, c] }],
    ['counts that are too low', { counts: [3, 1, 0], output: [a, b, c] }],
    ['an expired batch with its answers', { status: 'expired', counts: [3, 1, 0], output: [a] }],
    [
      'an expired batch that lists what it did not run',
      { status: 'expired', counts: [3, 1, 0], output: [a], errors: [unfinished('b'), unfinished('c')] },
    ],
    ['a cancelled batch without any answer', { status: 'cancelled', counts: [3, 0, 0] }],
    ['the answers of an unknown input', { ids: null, counts: [3, 3, 0], output: [a, b, c] }],
    ['a line that the counts do not promise', { ids: ['a', 'b', 'c'], counts: [3, 2, 0], output: [a, b] }],
  ])('%s → nothing is lacking', async (_, one) => {
    expect((await account(one)).lacks).toEqual([]);
  });
});

describe('what is not complete yet', () => {
  it.each<[string, Case]>([
    ['no file id, with completed requests', { counts: [3, 3, 0] }],
    ['an empty output file', { counts: [3, 3, 0], output: [] }],
    ['an output file that is too short', { counts: [3, 3, 0], output: [a, b] }],
    ['a last line that was cut', { counts: [3, 3, 0], output: [a, b, '{"custom_id":"c","resp'] }],
    ['no error file, with failed requests', { counts: [3, 2, 1], output: [a, b] }],
    [
      'an empty output file of an expired batch',
      { status: 'expired', counts: [3, 2, 0], output: [], errors: [unfinished('c')] },
    ],
    ['no file id of a cancelled batch with answers', { status: 'cancelled', counts: [3, 1, 0] }],
    ['a completed batch without counts and files', {}],
    ['a completed batch without counts, with too few lines', { output: [a] }],
    ['an empty output file of an expired batch without counts', { status: 'expired', output: [] }],
    ['an unknown input, with fewer answers than counted', { ids: null, counts: [3, 3, 0], output: [a, b] }],
    ['a file that was cut, with counts that are too low', { counts: [3, 1, 0], output: [a, b], files: [cutFile] }],
    ['no file of a failed batch that answered requests', { status: 'failed', counts: [3, 1, 0] }],
  ])('%s → lacking, and nothing may be deleted', async (_, one) => {
    const { lacks, isReadWhole } = await account(one);
    expect(lacks.length).toBeGreaterThan(0);
    expect(isReadWhole).toBe(false);
  });

  it('the same lack with other words → the same key', async () => {
    const first = await account({ counts: [3, 3, 0], output: [] });
    const second = await account({ counts: [3, 3, 0], output: [a] });
    expect(first.lacks.map(({ key }) => key)).toEqual(second.lacks.map(({ key }) => key));
    expect(first.lacks[0]?.reason).not.toBe(second.lacks[0]?.reason);
  });
});

describe('what may be deleted at the provider', () => {
  it.each<[string, boolean, Case]>([
    ['every answer, with counts that agree', true, { counts: [3, 3, 0], output: [a, b, c] }],
    ['every answer, without counts', true, { output: [a, b, c] }],
    [
      'an expired batch that lists what it did not run',
      true,
      { status: 'expired', counts: [3, 1, 0], output: [a], errors: [unfinished('b'), unfinished('c')] },
    ],
    ['an unknown input with counts that agree', true, { ids: null, counts: [3, 3, 0], output: [a, b, c] }],
    ['a batch that does not mention every request', false, { status: 'cancelled', counts: [3, 2, 0], output: [a, b] }],
    ['an expired batch without counts that does not mention every request', false, { status: 'expired', output: [a] }],
    ['counts that promise more', false, { status: 'expired', counts: [9, 4, 2], output: [a, b, c] }],
    ['a file that was not read to its end', false, { counts: [3, 3, 0], output: [a, b, c], files: [cutFile] }],
    ['a line that cannot be read', false, { counts: [3, 3, 0], output: [a, b, c, '{'] }],
    ['a line of a stranger', false, { counts: [3, 3, 0], output: [a, b, c, success('x')] }],
    ['a completed batch with fewer lines than requests', false, { counts: [3, 2, 0], output: [a, b] }],
    ['an unknown input without counts', false, { ids: null, output: [a] }],
  ])('%s → %s', async (_, expected, one) => {
    expect((await account(one)).isReadWhole).toBe(expected);
  });
});
