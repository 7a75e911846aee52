import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ApiError } from '../api-error.js';
import type { Answer } from './endpoint.js';

/** How a request ends on the wire. */
export type Reply =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | {
      readonly kind: 'raw';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
    }
  /** The body ends after `bytes`; undefined: after half of it. */
  | { readonly kind: 'cut'; readonly answer: Answer; readonly bytes: number | undefined; readonly silent: boolean }
  /** The connection is reset, or closed as after a crash. */
  | { readonly kind: 'close'; readonly reset: boolean }
  /** The connection stays open and silent. */
  | { readonly kind: 'silence' };

export function replyStatus(reply: Reply): number | undefined {
  if (reply.kind === 'answer' || reply.kind === 'cut') return reply.answer.status ?? 200;
  return reply.kind === 'raw' ? reply.status : undefined;
}

export function errorReply(error: unknown): Reply {
  const { status, headers, body } = error instanceof ApiError ? error : asApiError(error);
  return { kind: 'answer', answer: { status, headers, json: body } };
}

/** Errors of the framework, such as a broken multipart body, have a status. All others are bugs of the local API. */
function asApiError(error: unknown): ApiError {
  if (!(error instanceof Error)) return new ApiError(500, `The local API failed: ${String(error)}`);
  const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500;
  return new ApiError(status, status < 500 ? error.message : `The local API failed: ${error.stack}`);
}

/** @param headers those that every reply has */
export async function sendReply(
  response: ServerResponse,
  reply: Reply,
  headers: Record<string, string>,
): Promise<void> {
  switch (reply.kind) {
    case 'silence':
      return;
    case 'close':
      if (reply.reset) response.socket?.resetAndDestroy();
      else response.socket?.destroy();
      return;
    case 'raw':
      response.writeHead(reply.status, { ...headers, ...reply.headers }).end(reply.body);
      return;
    case 'answer': {
      const body = bodyOf(reply.answer);
      const contentLength = { 'content-length': String(body.bytes) };
      response.writeHead(reply.answer.status ?? 200, { ...headers, ...body.headers, ...contentLength });
      await pipeline(body.read(body.bytes), response);
      return;
    }
    case 'cut':
      await sendCut(response, reply, headers);
  }
}

async function sendCut(
  response: ServerResponse,
  { answer, bytes, silent }: Extract<Reply, { kind: 'cut' }>,
  headers: Record<string, string>,
): Promise<void> {
  const body = bodyOf(answer);
  const sentBytes = Math.min(bytes ?? Math.floor(body.bytes / 2), body.bytes);
  const contentLength = silent ? {} : { 'content-length': String(body.bytes) };
  response.writeHead(answer.status ?? 200, { ...headers, ...body.headers, ...contentLength });
  if (silent) {
    await pipeline(body.read(sentBytes), response);
    return;
  }
  response.flushHeaders();
  for await (const chunk of body.read(sentBytes)) {
    await new Promise<void>((resolve) => response.write(chunk, () => resolve()));
  }
  response.socket?.end();
}

interface Body {
  readonly bytes: number;
  readonly read: (limit: number) => Readable;
  readonly headers: Readonly<Record<string, string>>;
}

function bodyOf(answer: Answer): Body {
  if (!('json' in answer)) return { bytes: answer.bytes, read: answer.stream, headers: answer.headers ?? {} };
  const json = Buffer.from(JSON.stringify(answer.json));
  return {
    bytes: json.length,
    read: (limit) => Readable.from(limit === 0 ? [] : [json.subarray(0, limit)]),
    headers: { 'content-type': 'application/json', ...answer.headers },
  };
}
