import { vi } from 'vitest';
import { collectResults, type ResultSources } from '../../src/results/collect.js';

/** Runs of each property; a long run sets it to 10,000. */
export const FUZZ_RUNS = Number(process.env.LLM_JOBS_FUZZ_RUNS ?? 200);
vi.setConfig({ testTimeout: 60_000 + FUZZ_RUNS * 30 });

export async function* chunks(...parts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === 'string' ? Buffer.from(part) : part;
}

/** The content cut at the given places, each taken modulo its length. */
export async function* cut(content: Uint8Array, places: readonly number[]): AsyncGenerator<Uint8Array> {
  const ends = places.map((place) => place % (content.length + 1)).toSorted((a, b) => a - b);
  let start = 0;
  for (const end of [...ends, content.length]) {
    yield content.subarray(start, end);
    start = end;
  }
}

export function jsonl(...values: unknown[]): string {
  return values.map((value) => `${typeof value === 'string' ? value : JSON.stringify(value)}\n`).join('');
}

export async function textOf(source: AsyncIterable<Uint8Array> | null): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of source ?? []) parts.push(part);
  return Buffer.concat(parts).toString();
}

/** Collects results into texts; a file that was not written is null. */
export async function collected(sources: ResultSources) {
  const files: Record<string, string> = {};
  const write = (name: string) => async (content: AsyncIterable<Uint8Array>) => {
    const text = (files[name] = await textOf(content));
    return { uri: name, bytes: Buffer.byteLength(text), lines: text.split('\n').length - 1, sha256: '' };
  };
  const { summary, ...refs } = await collectResults(sources, {
    writeOutput: write('output'),
    writeErrors: write('errors'),
    writeUnreadable: write('unreadable'),
    unsuccessful: { write: write('unsuccessful'), read: () => chunks(files.unsuccessful!) },
  });
  const content = (name: keyof typeof refs) => (refs[name] ? files[name]! : null);
  return { summary, output: content('output'), errors: content('errors'), unreadable: content('unreadable') };
}

/** One chat request of a batch; `changes` replace its fields. */
export function request(customId: unknown, changes: Record<string, unknown> = {}) {
  const body = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hello' }] };
  return { custom_id: customId, method: 'POST', url: '/v1/chat/completions', body, ...changes };
}

/** A result line of a request that succeeded. */
export function success(
  customId: string,
  usage: unknown = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
) {
  const body = { id: 'chatcmpl-1', model: 'gpt-4o-mini-2024-07-18', choices: [], usage };
  return { id: 'batch_req_1', custom_id: customId, response: { status_code: 200, request_id: 'r', body }, error: null };
}

/** A result line of a request that failed over HTTP, as the API really writes it: with `error: null`. */
export function failure(customId: string, status = 400) {
  const body = { error: { message: 'no', type: 'invalid_request_error', param: null, code: null } };
  return {
    id: 'batch_req_2',
    custom_id: customId,
    response: { status_code: status, request_id: 'r', body },
    error: null,
  };
}

/** A result line of a request that never ran. */
export function unfinished(customId: string, code = 'batch_expired') {
  return { id: 'batch_req_3', custom_id: customId, response: null, error: { code, message: 'never ran' } };
}
