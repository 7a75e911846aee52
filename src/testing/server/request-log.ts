import type { Operation } from './endpoint.js';

/** One request that the local API has seen. Never holds bodies or keys. */
export interface LoggedRequest {
  /** Epoch ms on the API's clock. */
  readonly at: number;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** Undefined for a path that the API does not have. */
  readonly operation: Operation | undefined;
  readonly id?: string;
  /** Undefined until the reply is sent, and for ever when none is. */
  status: number | undefined;
  /** The kind of the fault that struck. */
  fault?: string;
  /** What the SDK tells about itself and its attempt. */
  readonly attemptHeaders?: Record<string, string>;
}

const ATTEMPT_HEADERS = ['x-stainless-retry-count', 'x-stainless-timeout', 'idempotency-key', 'range', 'user-agent'];

export function attemptHeaders(headers: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    ATTEMPT_HEADERS.flatMap((name) => {
      const value = headers[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}
