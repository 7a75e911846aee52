/** `llm-jobs check`: it needs no server. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { promptTokens, tokenCounter } from '../../../src/cli/count-tokens.js';
import { estimate } from '../../../src/cli/estimate.js';
import { llmJobs } from '../../support/commands.js';
import { chatRequests, jsonl } from '../../support/samples.js';

const PRICES = { 'gpt-4o*': { input: 1, output: 2 } };

async function fileOf(content: string | Buffer, name = 'requests.jsonl'): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'llm-jobs-check-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const request = (custom_id: string, body: object, url = '/v1/chat/completions') => ({
  custom_id,
  method: 'POST',
  url,
  body: { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'hello world' }], ...body },
});

describe('llm-jobs check', () => {
  test('a valid file → its figures, exit code 0', async () => {
    const { code, err, out } = await llmJobs('check', await fileOf(jsonl(chatRequests(4))));
    expect({ code, err }).toEqual({ code: 0, err: [] });
    expect(out).toContain('requests  4 for /v1/chat/completions');
    expect(out).toContain('fits      one batch');
    expect(out.at(-1)).toBe('faults    none');
  });

  test('faults → each with its line, exit code 1', async () => {
    const [first] = chatRequests(1);
    const { code, out } = await llmJobs('check', await fileOf(jsonl([first, first, { custom_id: 'x' }])));
    expect(code).toBe(1);
    expect(out).toContain('fits      no batch as it is');
    expect(out).toContainEqual(expect.stringMatching(/^ {2}line 2: .*custom_id/));
    expect(out).toContainEqual(expect.stringMatching(/^ {2}line 3: /));
  });

  test('limits and prices → at most so many tokens, and a range of the cost', async () => {
    const lines = [request('a', { max_tokens: 1_000_000 }), request('b', { max_completion_tokens: 500_000, n: 2 })];
    const prices = await fileOf(JSON.stringify(PRICES), 'prices.json');
    const { out } = await llmJobs('check', await fileOf(jsonl(lines)), '--prices', prices);
    // Two words and what keeps a message apart from others, twice.
    expect(out).toContain('tokens    12 in the prompts, without images and sounds');
    expect(out).toContain('answers   at most 2,000,000 tokens');
    expect(out).toContain('cost      0.000012 to 4.00 USD');
  });

  test('a request without a limit → no upper bound; a model without a price → it is named', async () => {
    const lines = [request('a', { max_tokens: 9 }), request('b', {}), request('c', { model: 'o9' })];
    const prices = await fileOf(JSON.stringify(PRICES), 'prices.json');
    const { out } = await llmJobs('check', await fileOf(jsonl(lines)), '--prices', prices, '--bulk');
    expect(out).toContain('answers   without an upper bound: 2 requests name none, such as max_tokens');
    expect(out).toContain('cost      not known: no price, or no tokenizer, for o9');
  });

  test('two models → no single batch, a bulk of two; with --bulk also gzip, no fault', async () => {
    const text = jsonl([request('a', {}), request('b', { model: 'gpt-4.1' })]);
    const single = await llmJobs('check', await fileOf(text));
    expect(single.code).toBe(1);
    expect(single.out).toContain('fits      no single batch; a bulk sends 2 batches');
    const bulk = await llmJobs('check', await fileOf(gzipSync(text), 'requests.jsonl.gz'), '--bulk', '--json');
    expect(bulk.code).toBe(0);
    expect(JSON.parse(bulk.out.join('\n'))).toMatchObject({
      endpoint: null,
      requests: 2,
      parts: 2,
      faults: { total: 0 },
    });
  });

  test('prices that are none → exit code 1, the field and an example', async () => {
    const prices = await fileOf(JSON.stringify({ 'gpt-4o': { input: -1, output: 1 } }), 'prices.json');
    const { code, err } = await llmJobs('check', await fileOf(jsonl(chatRequests(1))), '--prices', prices);
    expect({ code, lines: err.length }).toEqual({ code: 1, lines: 2 });
    expect(err[0]).toContain('gpt-4o.input');
  });
});

async function* manyRequests() {
  yield Buffer.from(jsonl(Array.from({ length: 5_000 }, (_, index) => request(`r${index}`, { max_tokens: 1 }))));
}

test('more requests than are sampled → the average counts for all', async () => {
  const [found] = await estimate(manyRequests(), {});
  expect(found).toMatchObject({ requests: 5_000, prompts: { tokens: 30_000 }, answers: { maxTokens: 5_000 } });
  expect(found?.prompts.counted).toBeLessThanOrEqual(1_000);
});

test.each([
  ['text', { input: 'hello world' }, 2],
  [
    'parts, and an image that is not counted',
    { input: [{ type: 'input_text', text: 'hello world' }, { image_url: 'data:x' }] },
    2,
  ],
  ['the name of a special token', { prompt: '<|endoftext|>' }, 7],
])('tokens of a prompt: %s', async (_, body, tokens) => {
  const count = await tokenCounter('gpt-4o');
  expect(promptTokens(body as Record<string, unknown>, count!)).toBe(tokens);
});
