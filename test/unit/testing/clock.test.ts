import OpenAI from 'openai';
import { expect, test, vi } from 'vitest';
import { clockFrom, LocalApi, ManualClock, realClock, scaledClock } from '../../../src/testing/index.js';
import { chatLines, createBatch, HOUR, upload } from '../../support/local-api.js';

test('scaledClock: a factor of 3600 → a day in 24 seconds', () => {
  vi.useFakeTimers({ now: 1_000_000 });
  try {
    const clock = scaledClock(3600);
    vi.advanceTimersByTime(24_000);
    expect(clock.now()).toBe(1_000_000 + 24 * HOUR);
    expect(realClock().now()).toBe(1_024_000);
  } finally {
    vi.useRealTimers();
  }
});

test('ManualClock: set and advance → exactly the time set', () => {
  const clock = new ManualClock(5);
  clock.advance(10);
  expect(clock.now()).toBe(15);
  clock.set(7);
  expect(clock.now()).toBe(7);
});

test('clockFrom: an asynchronous clock that jumps between requests → the batch advances with it', async () => {
  let now = 0;
  const clock = clockFrom(() => Promise.resolve(now));
  await using api = await LocalApi.start({ clock });
  const client = new OpenAI({ baseURL: api.url, apiKey: api.apiKey, maxRetries: 0 });
  const { id } = await createBatch(client, chatLines(2));
  now += HOUR;
  expect(await client.batches.retrieve(id)).toMatchObject({ status: 'completed', created_at: 0 });
  expect(api.requests.at(-1)!.at).toBe(HOUR);
});

test('concurrency: ten requests after a jump → one set of result files', async () => {
  const clock = new ManualClock();
  await using api = await LocalApi.start({ clock });
  const client = new OpenAI({ baseURL: api.url, apiKey: api.apiKey, maxRetries: 0 });
  const { id } = await createBatch(client, chatLines(200));
  clock.advance(HOUR);
  const batches = await Promise.all(Array.from({ length: 10 }, () => client.batches.retrieve(id)));
  expect(new Set(batches.map((batch) => batch.output_file_id)).size).toBe(1);
  expect((await api.files()).filter((file) => file.purpose === 'batch_output')).toHaveLength(1);
});

test('close: a stopped API → its files and its port are gone', async () => {
  const api = await LocalApi.start();
  const client = new OpenAI({ baseURL: api.url, apiKey: api.apiKey, maxRetries: 0 });
  const file = await upload(client, '{}');
  await api.close();
  await expect(api.fileContent(file.id)).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(fetch(`${api.url}/files`)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
});

test('logger: one line for each request → method, path, status and fault', async () => {
  const lines: string[] = [];
  await using api = await LocalApi.start({ logger: { info: (line) => void lines.push(line) } });
  const client = new OpenAI({ baseURL: api.url, apiKey: api.apiKey, maxRetries: 0 });
  await client.files.list();
  api.faults.add({ on: 'files.list', effect: 'reset' });
  await client.files.list().catch(() => undefined);
  expect(lines).toEqual(['GET /v1/files 200', 'GET /v1/files no reply (reset)']);
});
