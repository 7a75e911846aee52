import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jsonLines } from '../../../src/jsonl/json-lines.js';
import { readReasons } from '../../../src/report/failure-reasons.js';
import { Storage } from '../../../src/storage/storage.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'llm-jobs-reasons-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function reasonsOf(lines: readonly object[]) {
  const storage = new Storage({ roots: [pathToFileURL(folder).href] });
  const file = await storage.write(storage.resolve(storage.defaultRoot, 'errors.jsonl'), jsonLines(lines));
  return readReasons(storage, file);
}

const failed = (customId: string, code: string) => ({
  id: null,
  custom_id: customId,
  response: null,
  error: { code, message: `${code} of ${customId}` },
});

test('reasons: an errors file → the requests by code, most first, with the first of each', async () => {
  const { reasons, others } = await reasonsOf([failed('a', 'rare'), failed('b', 'often'), failed('c', 'often')]);
  expect(reasons).toEqual([
    { code: 'often', status: null, requests: 2, message: 'often of b', example: 'b' },
    { code: 'rare', status: null, requests: 1, message: 'rare of a', example: 'a' },
  ]);
  expect(others).toBe(0);
});

test('reasons: a code of its own for every request → the first of them, and how many others', async () => {
  const { reasons, others } = await reasonsOf(
    Array.from({ length: 2_000 }, (_, index) => failed(`${index}`, `c${index}`)),
  );
  expect(reasons).toHaveLength(25);
  expect(others).toBe(1_975);
});
