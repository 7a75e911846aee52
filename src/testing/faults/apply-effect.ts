import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, errorBody } from '../api-error.js';
import type { Answer, ApiCall } from '../server/endpoint.js';
import type { FaultEffect, StatusEffect } from './fault-effect.js';
import { notFoundFor, type HiddenObjects } from './hidden-objects.js';

/** How a request ends on the wire. */
export type Outcome =
  | { kind: 'answer'; answer: Answer }
  | { kind: 'raw'; status: number; headers: Record<string, string>; body: string }
  | { kind: 'cut'; answer: Answer; bytes: number | undefined; silent: boolean }
  /** The connection is closed: hard (reset) or as after a crash. */
  | { kind: 'close'; reset: boolean }
  /** The connection stays open and silent. */
  | { kind: 'silence' };

export interface Struck {
  readonly call: ApiCall;
  readonly handle: () => Promise<Answer>;
  readonly hidden: HiddenObjects;
  readonly apiKey: string | undefined;
}

/** Carries one request out under a fault. */
export async function applyEffect(effect: FaultEffect, { call, handle, hidden, apiKey }: Struck): Promise<Outcome> {
  switch (effect.kind) {
    case 'status':
      if (effect.handled === true) await handle();
      return statusOutcome(effect);
    case 'html': {
      const body = effect.body ?? '<html><head><title>Bad gateway</title></head><body>cloudflare</body></html>';
      return { kind: 'raw', status: effect.status ?? 502, headers: { 'content-type': 'text/html' }, body };
    }
    case 'reset':
      return { kind: 'close', reset: true };
    case 'lostAnswer':
      await handle();
      return { kind: 'close', reset: false };
    case 'timeout':
      if (effect.handled === true) await handle();
      return { kind: 'silence' };
    case 'delay': {
      const early = effect.handled === true ? await handle() : undefined;
      await sleep(effect.ms, undefined, { ref: false });
      return { kind: 'answer', answer: early ?? (await handle()) };
    }
    case 'cutBody':
      return { kind: 'cut', answer: await handle(), bytes: effect.bytes, silent: effect.silent ?? false };
    case 'notFound':
      throw notFoundFor(call);
    case 'hidden': {
      const answer = await handle();
      if ('json' in answer) hidden.hide(answer.json, effect.reads);
      return { kind: 'answer', answer };
    }
    case 'mutate': {
      const answer = await handle();
      if (!('json' in answer)) return { kind: 'answer', answer };
      const status = effect.status ?? answer.status ?? 200;
      return { kind: 'answer', answer: { ...answer, status, json: effect.change(answer.json) } };
    }
    default:
      throw new ApiError(effect.status ?? 401, `Incorrect API key provided: ${apiKey ?? ''}.`, {
        code: 'invalid_api_key',
      });
  }
}

function statusOutcome(effect: StatusEffect): Outcome {
  const { status } = effect;
  const headers: Record<string, string> = { 'content-type': 'application/json', ...effect.headers };
  if (effect.retryAfter !== undefined) headers['retry-after'] = String(effect.retryAfter);
  if (effect.retryAfterMs !== undefined) headers['retry-after-ms'] = String(effect.retryAfterMs);
  if (effect.shouldRetry !== undefined) headers['x-should-retry'] = String(effect.shouldRetry);
  const { type, code, param } = effect;
  const fields = { ...(type === undefined ? {} : { type }), code: code ?? null, param: param ?? null };
  const body =
    effect.body ??
    errorBody(status, effect.message ?? MESSAGES[status] ?? `The request failed with ${status}.`, fields);
  return { kind: 'raw', status, headers, body: typeof body === 'string' ? body : JSON.stringify(body) };
}

const MESSAGES: Record<number, string> = {
  400: 'Invalid request.',
  401: 'Incorrect API key provided.',
  403: 'You are not allowed to do this with the current project.',
  408: 'Request timed out.',
  409: 'The resource is being changed by another request. Please try again.',
  429: 'Rate limit reached for requests. Please try again later.',
  500: 'The server had an error while processing your request. Sorry about that!',
  502: 'Bad gateway.',
  503: 'The server is overloaded or not ready yet.',
};
