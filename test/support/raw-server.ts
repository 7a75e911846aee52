/** A real HTTP server of a few lines, so that errors of the SDK are real. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import OpenAI from 'openai';

export const API_KEY = 'sk-proj-AbC123_def-456GHI';

type ClientOptions = NonNullable<ConstructorParameters<typeof OpenAI>[0]>;

/** Serves for as long as `body` takes. */
export async function serving<T>(listener: RequestListener, body: (baseURL: string) => Promise<T>): Promise<T> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  try {
    return await body(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** What the SDK throws when the server answers a read of a batch like this. */
export function errorFrom(listener: RequestListener, options: ClientOptions = {}): Promise<unknown> {
  return serving(listener, async (baseURL) => {
    const client = new OpenAI({ apiKey: API_KEY, baseURL, maxRetries: 0, ...options });
    return rejection(client.batches.retrieve('batch_1'));
  });
}

/** An answer as the API gives it. */
export function answer(status: number, body: unknown, headers: Record<string, string> = {}): RequestListener {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const type = text.startsWith('<') ? 'text/html' : 'application/json';
  return (_, response) => response.writeHead(status, { 'content-type': type, ...headers }).end(text);
}

/** What a promise rejects with. @throws when it does not */
export async function rejection(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('The promise was expected to reject');
}
