/** What `llm-jobs check` says of costs, by the price table of the configuration. */
import { expect, test } from 'vitest';
import { llmJobs } from '../../support/commands.js';
import { configFolder } from '../../support/config-folder.js';
import { chatLines, jsonl } from '../../support/local-api.js';

async function checked(prices: object, ...options: string[]) {
  await using config = await configFolder({
    'c.json': { prices, storage: 'out' },
    'requests.jsonl': jsonl(chatLines(1_000)),
  });
  const file = `${config.folder}/requests.jsonl`;
  return await llmJobs('check', file, '--config', `${config.folder}/c.json`, ...options);
}

test('check: a price for the model → a range, as JSON too', async () => {
  const prices = { 'gpt-4o*': { input: 100, cachedInput: 50, output: 8 } };
  const { out, code } = await checked(prices);
  expect(code).toBe(0);
  const [, from, to] =
    /^cost +prompts from ([\d.]+), all cached, to ([\d.]+) USD; answers 8\.00 USD/m.exec(out.join('\n')) ?? [];
  expect(Number(from)).toBeGreaterThan(1);
  expect(Number(to)).toBeCloseTo(2 * Number(from), 1);
  const report = JSON.parse((await checked(prices, '--json')).out.join('')) as {
    estimatedTokens: number;
    cost: object;
  };
  expect(report.cost).toEqual({ from: report.estimatedTokens * 50e-6, to: report.estimatedTokens * 100e-6, output: 8 });
});

test('check: no price for the model → nothing said of costs', async () => {
  const { out, code } = await checked({ 'other-model': { input: 1, output: 1 } });
  expect(code).toBe(0);
  expect(out.join('\n')).not.toContain('cost');
});
