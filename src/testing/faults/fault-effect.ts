/** What a fault does to one request. Unless stated otherwise, the request is not handled: nothing is created. */
export type FaultEffect =
  | StatusEffect
  /** An HTML page, as a proxy in front of the API sends it. */
  | {
      readonly kind: 'html';
      /** @default 502 */
      readonly status?: number;
      /** @default a short page of a proxy */
      readonly body?: string;
    }
  /** The connection is reset before the request is handled. */
  | { readonly kind: 'reset' }
  /** The request is handled and its effects stay; the connection is closed without a reply. */
  | { readonly kind: 'lostAnswer' }
  /** No reply is sent, and the connection stays open. */
  | {
      readonly kind: 'timeout';
      /** Whether the request is handled nevertheless. @default false */
      readonly handled?: boolean;
    }
  /** The reply comes later. */
  | {
      readonly kind: 'delay';
      /** In real time, not on the API's clock. */
      readonly ms: number;
      /** Whether the request is handled before the wait instead of after it. @default false */
      readonly handled?: boolean;
    }
  /** The body of the reply ends early. */
  | {
      readonly kind: 'cutBody';
      /** How much is sent. @default half of the body */
      readonly bytes?: number;
      /** Whether the content-length, which reveals the cut, is left out. @default false */
      readonly silent?: boolean;
    }
  /** The API's 404, as for an object that is not visible yet. */
  | { readonly kind: 'notFound' }
  /** On a create: it is handled, and the new object stays invisible to `reads` reads, and to lists meanwhile. */
  | { readonly kind: 'hidden'; readonly reads: number }
  /** The request is handled and its JSON reply changed. */
  | {
      readonly kind: 'mutate';
      readonly change: (body: unknown) => unknown;
      /** @default that of the reply */
      readonly status?: number;
    }
  /** An error that repeats the caller's API key in its text. */
  | {
      readonly kind: 'echoApiKey';
      /** @default 401 */
      readonly status?: number;
    };

/** A refusal with an HTTP status, and the fields of the API's error object. */
export interface StatusEffect {
  readonly kind: 'status';
  readonly status: number;
  /** @default what the API says with that status */
  readonly message?: string;
  /** @default by status */
  readonly type?: string;
  /** @default null */
  readonly code?: string | null;
  /** @default null */
  readonly param?: string | null;
  /** Replaces the whole error body; a string is sent as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** The header `retry-after`: seconds, or a date as text. */
  readonly retryAfter?: number | string;
  /** The header `retry-after-ms`. */
  readonly retryAfterMs?: number;
  /** The header `x-should-retry`. */
  readonly shouldRetry?: boolean;
  /** Whether the request is handled nevertheless, so that the error is wrong. @default false */
  readonly handled?: boolean;
}

/** Ready-made effects by name. A test can iterate over them all. */
export const FAULT_EFFECTS = {
  unauthorized: { kind: 'status', status: 401, code: 'invalid_api_key' },
  forbidden: { kind: 'status', status: 403 },
  requestTimeout: { kind: 'status', status: 408 },
  conflict: { kind: 'status', status: 409 },
  rateLimited: { kind: 'status', status: 429, code: 'rate_limit_exceeded' },
  rateLimitedWithRetryAfter: { kind: 'status', status: 429, code: 'rate_limit_exceeded', retryAfter: 2 },
  rateLimitedWithRetryAfterMs: { kind: 'status', status: 429, code: 'rate_limit_exceeded', retryAfterMs: 250 },
  /** Longer than 60 s, up to which the SDK obeys the header. */
  rateLimitedForLong: { kind: 'status', status: 429, code: 'rate_limit_exceeded', retryAfter: 600 },
  quotaExceeded: { kind: 'status', status: 429, type: 'insufficient_quota', code: 'insufficient_quota' },
  serverError: { kind: 'status', status: 500 },
  /** The API asks not to retry. */
  serverErrorForGood: { kind: 'status', status: 500, shouldRetry: false },
  /** The API asks to retry an error that usually is final. */
  badRequestToRetry: { kind: 'status', status: 400, shouldRetry: true },
  badGateway: { kind: 'status', status: 502 },
  unavailable: { kind: 'status', status: 503 },
  htmlPage: { kind: 'html' },
  reset: { kind: 'reset' },
  lostAnswer: { kind: 'lostAnswer' },
  timeout: { kind: 'timeout' },
  timeoutAfterHandling: { kind: 'timeout', handled: true },
  delay: { kind: 'delay', ms: 50 },
  cutBody: { kind: 'cutBody' },
  cutBodySilently: { kind: 'cutBody', silent: true },
  notFound: { kind: 'notFound' },
  hidden: { kind: 'hidden', reads: 2 },
  emptyObject: { kind: 'mutate', change: () => ({}) },
  echoApiKey: { kind: 'echoApiKey' },
} as const satisfies Record<string, FaultEffect>;

/** The name of a fault. */
export type FaultName = keyof typeof FAULT_EFFECTS;

/** The names of the faults. */
export const FAULT_NAMES = Object.keys(FAULT_EFFECTS) as FaultName[];
