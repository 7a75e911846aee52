import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, errorBody, notFoundFor } from '../api-error.js';
import { isObject } from '../body-params.js';
import type { Answer, ApiCall } from '../server/endpoint.js';
import type { Reply } from '../server/reply.js';
import type { FaultEffect, StatusEffect } from './fault-effect.js';

/** Objects that exist but are not visible yet, as behind a replica that lags. */
export class HiddenObjects {
  readonly #readsLeft = new Map<string, number>();

  /** @param created the object as its create endpoint returned it @param reads how many reads do not see it */
  hide(created: unknown, reads: number): void {
    if (isObject(created) && typeof created.id === 'string' && reads > 0) this.#readsLeft.set(created.id, reads);
  }

  /** Counts a read. @throws the API's 404 while the object of the call is hidden */
  check(call: ApiCall): void {
    const left = call.id === undefined ? undefined : this.#readsLeft.get(call.id);
    if (call.id === undefined || left === undefined) return;
    if (left === 1) this.#readsLeft.delete(call.id);
    else this.#readsLeft.set(call.id, left - 1);
    throw notFoundFor(call);
  }

  /** Takes hidden objects out of a list; returns anything else as it is. */
  filter(json: unknown): unknown {
    if (this.#readsLeft.size === 0 || !isObject(json) || json.object !== 'list' || !Array.isArray(json.data)) {
      return json;
    }
    const isHidden = (item: unknown): boolean =>
      isObject(item) && typeof item.id === 'string' && this.#readsLeft.has(item.id);
    return { ...json, data: json.data.filter((item) => !isHidden(item)) };
  }
}

interface FaultedCall {
  readonly call: ApiCall;
  /** Serves the call as if there were no fault. */
  readonly handle: () => Promise<Answer>;
  readonly hidden: HiddenObjects;
  readonly apiKey: string | undefined;
}

/** Serves one request under a fault. */
export async function applyEffect(effect: FaultEffect, faulted: FaultedCall): Promise<Reply> {
  const { call, handle, hidden, apiKey } = faulted;
  switch (effect.kind) {
    case 'status':
      if (effect.handled === true) await handle();
      return statusReply(effect);
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

function statusReply(effect: StatusEffect): Reply {
  const { status, type, code = null, param = null } = effect;
  const headers: Record<string, string> = { 'content-type': 'application/json', ...effect.headers };
  if (effect.retryAfter !== undefined) headers['retry-after'] = String(effect.retryAfter);
  if (effect.retryAfterMs !== undefined) headers['retry-after-ms'] = String(effect.retryAfterMs);
  if (effect.shouldRetry !== undefined) headers['x-should-retry'] = String(effect.shouldRetry);
  const message = effect.message ?? MESSAGES[status] ?? `The request failed with ${status}.`;
  const body = effect.body ?? errorBody(status, message, { ...(type === undefined ? {} : { type }), code, param });
  return { kind: 'raw', status, headers, body: typeof body === 'string' ? body : JSON.stringify(body) };
}
