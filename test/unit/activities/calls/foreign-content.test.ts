import { describe, expect, it } from 'vitest';
import { unlessForeign, type ResultFormat } from '../../../../src/activities/calls/foreign-content.js';
import { jsonl, success } from '../../../support/result-lines.js';
import { chunked, textOf } from '../../../support/streams.js';

async function read(text: string, format: ResultFormat, chunkSize: number) {
  const reports: string[] = [];
  const content = unlessForeign(chunked(Buffer.from(text), chunkSize), format, (what) => reports.push(what));
  return { text: await textOf(content), reports };
}

const PAGE = 'an HTML page';
const DOCUMENT = 'a JSON document without results';
const error = { error: { message: 'Please try again', type: 'server_error' } };
const long = JSON.stringify(success('a', { note: 'x'.repeat(200_000) }));

describe.each([1, 7, 1_000_000])('in chunks of %i bytes', (chunkSize) => {
  it.each<[string, ResultFormat, string, string]>([
    ['a page', 'jsonl', '<!doctype html><html></html>', PAGE],
    ['a page after white space and a mark', 'jsonl', '\u{FEFF}\n  <html>', PAGE],
    ['a page', 'csv', '<HTML><body>log in</body></HTML>', PAGE],
    ['an XML error', 'jsonl', '<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>', PAGE],
    ['an error', 'jsonl', JSON.stringify(error), DOCUMENT],
    ['an error on several lines', 'jsonl', JSON.stringify(error, null, 2), DOCUMENT],
    ['an error', 'csv', `${JSON.stringify({ detail: 'not ready' })}\n`, DOCUMENT],
  ])('%s in the place of %s → nothing, and it is told', async (_, format, text, expected) => {
    expect(await read(text, format, chunkSize)).toEqual({ text: '', reports: [expected] });
  });

  it.each<[string, ResultFormat, string]>([
    ['results', 'jsonl', jsonl(success('a'), success('b'))],
    ['one result without a line break', 'jsonl', JSON.stringify(success('a'))],
    ['results after a line of another kind', 'jsonl', jsonl({ object: 'header' }, success('a'))],
    ['results after a line that is not JSON', 'jsonl', jsonl('?', success('a'))],
    ['a result without a usable id', 'jsonl', JSON.stringify({ custom_id: null, response: {} })],
    ['nothing', 'jsonl', ''],
    ['white space', 'jsonl', ' \n\n'],
    ['values', 'csv', 'step,train_loss\n1,0.5\n'],
    ['values in one line', 'csv', 'step,train_loss'],
    ['nothing', 'csv', ''],
  ])('%s, as %s → unchanged', async (_, format, text) => {
    expect(await read(text, format, chunkSize)).toEqual({ text, reports: [] });
  });
});

it('a first line that is longer than what is examined → unchanged', async () => {
  expect(await read(long, 'jsonl', 16_384)).toEqual({ text: long, reports: [] });
});
