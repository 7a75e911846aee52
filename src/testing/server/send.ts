import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Outcome } from '../faults/apply-effect.js';
import type { Answer } from './endpoint.js';

interface Body {
  readonly bytes: number;
  readonly read: (limit: number) => Readable;
  readonly headers: Record<string, string>;
}

/** Puts an outcome on the wire. @param headers those that every reply has */
export async function send(response: ServerResponse, outcome: Outcome, headers: Record<string, string>): Promise<void> {
  switch (outcome.kind) {
    case 'silence':
      return;
    case 'close':
      if (outcome.reset) response.socket?.resetAndDestroy();
      else response.socket?.destroy();
      return;
    case 'raw':
      response.writeHead(outcome.status, { ...headers, ...outcome.headers }).end(outcome.body);
      return;
    case 'answer': {
      const body = bodyOf(outcome.answer);
      response.writeHead(outcome.answer.status ?? 200, {
        ...headers,
        ...body.headers,
        'content-length': String(body.bytes),
      });
      await pipeline(body.read(body.bytes), response);
      return;
    }
    case 'cut':
      await sendCut(response, outcome, headers);
  }
}

async function sendCut(
  response: ServerResponse,
  { answer, bytes, silent }: Extract<Outcome, { kind: 'cut' }>,
  headers: Record<string, string>,
): Promise<void> {
  const body = bodyOf(answer);
  const sent = Math.min(bytes ?? Math.floor(body.bytes / 2), body.bytes);
  const length = silent ? {} : { 'content-length': String(body.bytes) };
  response.writeHead(answer.status ?? 200, { ...headers, ...body.headers, ...length });
  if (silent) {
    await pipeline(body.read(sent), response);
    return;
  }
  response.flushHeaders();
  for await (const chunk of body.read(sent)) {
    await new Promise<void>((resolve) => response.write(chunk, () => resolve()));
  }
  response.socket?.end();
}

function bodyOf(answer: Answer): Body {
  if ('json' in answer) {
    const json = Buffer.from(JSON.stringify(answer.json));
    return {
      bytes: json.length,
      read: (limit) => Readable.from(limit === 0 ? [] : [json.subarray(0, limit)]),
      headers: { 'content-type': 'application/json', ...answer.headers },
    };
  }
  return { bytes: answer.bytes, read: answer.stream, headers: { ...answer.headers } };
}
