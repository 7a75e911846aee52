/** Merges the results of a bulk batch from lines that a test writes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll } from 'vitest';
import { NO_USAGE } from '../../src/contract/no-usage.js';
import type { PartResults } from '../../src/results/bulk-account.js';
import { mergeResults, type MergeOptions } from '../../src/results/merge.js';
import type { AnswerPolicy } from '../../src/results/result-reader.js';
import { Storage } from '../../src/storage/storage.js';
import { sourceOf } from './streams.js';

let folder: string;
export let storage: Storage;

/** Gives a test file a folder to merge in. A function, since this module is loaded once for all files of a process. */
export function useMergeFolder(): void {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'llm-jobs-merge-test-'));
    storage = new Storage({ roots: [pathToFileURL(`${folder}/`).href] });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
}

export const POLICY: AnswerPolicy = { sendAgain: new Set(['unfinished', 'failed', 'mismatched']), passing: [] };
export const ok = (
  id: string,
  body: object = { usage: { prompt_tokens: 2, completion_tokens: 3, total_tokens: 5 } },
) => ({
  custom_id: id,
  response: { status_code: 200, body },
  error: null,
});
export const failed = (id: string, status: number) => ({
  custom_id: id,
  response: { status_code: status, body: {} },
  error: null,
});
export const expired = (id: string) => ({
  custom_id: id,
  response: null,
  error: { code: 'batch_expired', message: 'x' },
});

let files = 0;
async function fileOf(values: readonly object[]) {
  if (values.length === 0) return null;
  const uri = storage.resolve(storage.defaultRoot, `${(files += 1)}.jsonl`);
  const text = values.map((value) => `${JSON.stringify(value)}\n`).join('');
  await storage.write(uri, sourceOf('', text).open());
  return { uri, open: (range?: { start: number }) => storage.read(uri, range) };
}

export async function results(
  round: number,
  output: readonly object[],
  errors: readonly object[],
): Promise<PartResults> {
  return {
    round,
    part: (files += 1),
    model: 'm',
    output: await fileOf(output),
    errors: await fileOf(errors),
    unreadable: null,
    usage: { ...NO_USAGE, totalTokens: 5 * output.length },
  };
}

export const inputOf = (ids: readonly string[]) => [
  sourceOf('file:///in', ids.map((id) => `${JSON.stringify({ custom_id: id })}\n`).join('')),
];

export async function merge(
  ids: readonly string[],
  batches: readonly PartResults[],
  options: Partial<MergeOptions> = {},
  policy = POLICY,
) {
  const contents = { output: Buffer.alloc(0), errors: Buffer.alloc(0), unreadable: Buffer.alloc(0) };
  const writer = (name: keyof typeof contents) => async (content: AsyncIterable<Uint8Array>) => {
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
    writeUnreadable: writer('unreadable'),
    ...options,
  });
  const linesOf = (content: Buffer) =>
    (options.gzip ? gunzipSync(content) : content)
      .toString()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { custom_id: string; round?: number; outcome?: string });
  return {
    merged,
    output: linesOf(contents.output),
    errors: contents.errors.length > 0 ? linesOf(contents.errors) : [],
    unreadable: contents.unreadable.toString(),
  };
}

export const idsOf = (lines: readonly { custom_id: string }[]) => lines.map(({ custom_id }) => custom_id);
