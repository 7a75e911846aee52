import { expect, test } from 'vitest';
import { RequestsById } from '../../../src/results/requests-by-id.js';

const source = (text: string) => ({
  uri: 'file:///input.jsonl',
  async *open() {
    yield Buffer.from(text);
  },
});

test('two files, some without a custom_id → each request by its id, or by its line over all files', async () => {
  const first = `${JSON.stringify({ custom_id: 'ä', body: 1 })}\n\n${JSON.stringify({ body: 2 })}\n`;
  const requests = await RequestsById.of([source(first), source(JSON.stringify({ body: 3 }))]);
  expect(requests.find('ä')).toEqual({ custom_id: 'ä', body: 1 });
  expect(requests.find('line-3')).toEqual({ body: 2 });
  expect(requests.find('line-4')).toEqual({ body: 3 });
  expect(requests.find('line-5')).toBeNull();
  requests.close();
});
