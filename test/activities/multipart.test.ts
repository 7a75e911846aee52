import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import OpenAI from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { postFile } from '../../src/activities/multipart.js';

const MB = 1024 * 1024;
let received = 0;
const server = createServer((request, response) => {
  request.on('data', (chunk: Buffer) => (received += chunk.length));
  request.on('end', () => response.setHeader('content-type', 'application/json').end('{"id":"file-1"}'));
});
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => server.close());

it('upload: a file of 400 MB → sent whole, and most of it never in memory at once', async () => {
  const { port } = server.address() as AddressInfo;
  const client = new OpenAI({ apiKey: 'sk-none', baseURL: `http://127.0.0.1:${port}/v1`, maxRetries: 0 });
  let most = 0;
  const before = process.memoryUsage().arrayBuffers;
  const content = async function* () {
    for (let sent = 0; sent < 400; sent++) {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
      yield Buffer.alloc(MB, 97);
    }
  };
  const form = { filename: 'a.jsonl', bytes: 400 * MB, content, fields: { purpose: 'batch' } };
  const reply = await postFile(client, form, { timeout: 60_000, signal: new AbortController().signal });
  expect(reply).toEqual({ id: 'file-1' });
  expect(received).toBeGreaterThan(400 * MB);
  expect(most).toBeLessThan(200 * MB);
});
