import { expect, test } from 'vitest';
import { resultLines, type Joined, type ResultLinesOptions } from '../../../src/cli/result-lines.js';

const ANSWERED: Joined = { result: { customId: 'a', ok: true, value: 'Yes, "or"\nno' }, request: { custom_id: 'a' } };
const FAILED: Joined = {
  result: { customId: 'b', ok: false, error: { status: null, code: 'missing', message: 'no line' } },
  request: null,
};

async function linesOf(all: readonly Joined[], options: ResultLinesOptions): Promise<string[]> {
  async function* each() {
    yield* all;
  }
  const lines: string[] = [];
  for await (const line of resultLines(each(), options)) lines.push(line);
  return lines;
}

test('jsonl → the result, with the request if there is one', async () => {
  const lines = await linesOf([ANSWERED, { result: FAILED.result }], { format: 'jsonl', withInput: true });
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { customId: 'a', ok: true, value: 'Yes, "or"\nno', request: { custom_id: 'a' } },
    FAILED.result,
  ]);
});

test('csv → quoted where needed, an object as JSON', async () => {
  const object: Joined = { result: { customId: 'c', ok: true, value: { n: 1 } } };
  expect(await linesOf([ANSWERED, FAILED, object], { format: 'csv', withInput: true })).toEqual([
    'customId,ok,value,status,code,message,request',
    'a,true,"Yes, ""or""\nno",,,,"{""custom_id"":""a""}"',
    'b,false,,,missing,no line,',
    'c,true,"{""n"":1}",,,,',
  ]);
});

test('csv of nothing → the head', async () => {
  expect(await linesOf([], { format: 'csv', withInput: false })).toEqual(['customId,ok,value,status,code,message']);
});
