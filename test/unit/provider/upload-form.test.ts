import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import OpenAI from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { postFile } from '../../../src/provider/upload-form.js';

const MB = 1024 * 1024;
let received = 0;
/** The body, if it is kept. */
let body: Buffer[] | null = null;
const server = createServer((request, response) => {
  request.on('data', (chunk: Buffer) => {
    received += chunk.length;
    body?.push(chunk);
  });
  request.on('end', () => response.setHeader('content-type', 'application/json').end('{"id":"file-1"}'));
});
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => server.close());

it('upload: a file of 400 MB → sent completely, with little of it in memory at any time', async () => {
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

it('upload: chunks that are views on larger buffers → sent as they are', async () => {
  const { port } = server.address() as AddressInfo;
  const client = new OpenAI({ apiKey: 'sk-none', baseURL: `http://127.0.0.1:${port}/v1`, maxRetries: 0 });
  const whole = Buffer.from(
    Array.from({ length: MB }, (_, at) => `${at}\n`)
      .join('')
      .slice(0, MB),
  );
  const content = async function* () {
    yield whole.subarray(0, 300_000);
    yield whole.subarray(300_000);
  };
  const form = { filename: 'a.jsonl', bytes: MB, content, fields: { purpose: 'batch' } };
  const bytes: Buffer[] = (body = []);
  await postFile(client, form, { timeout: 60_000, signal: new AbortController().signal });
  expect(Buffer.concat(bytes).includes(whole)).toBe(true);
});
