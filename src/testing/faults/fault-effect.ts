/** What a fault does to one request. Unless it says otherwise the request is not handled: nothing is created. */
export type FaultEffect =
  | StatusEffect
  /** An HTML page, as a proxy in front of the API sends it. @default status 502 */
  | { kind: 'html'; status?: number; body?: string }
  /** The connection is reset before the request is handled. */
  | { kind: 'reset' }
  /** The request is handled and its effects stay; the connection is closed without a reply. */
  | { kind: 'lostAnswer' }
  /** No reply ever comes. `handled`: the request is carried out nonetheless. @default handled false */
  | { kind: 'timeout'; handled?: boolean }
  /** The reply comes later by `ms` of real time. `handled`: the request is carried out before the wait. @default handled false */
  | { kind: 'delay'; ms: number; handled?: boolean }
  /**
   * The reply's body ends early, after `bytes` (default: half of it). Usually the promised content-length shows it;
   * `silent`: there is no content-length and the end looks like any other.
   */
  | { kind: 'cutBody'; bytes?: number; silent?: boolean }
  /** 404 in the API's words, as for an object that is not visible yet. */
  | { kind: 'notFound' }
  /** On a create: handled, and what it made stays invisible to so many reads, and to lists meanwhile. */
  | { kind: 'hidden'; reads: number }
  /** The request is handled and its JSON reply changed. */
  | { kind: 'mutate'; change: (body: unknown) => unknown; status?: number }
  /** An error whose text repeats the caller's API key. @default status 401 */
  | { kind: 'echoApiKey'; status?: number };

export interface StatusEffect {
  readonly kind: 'status';
  readonly status: number;
  /** Of the error body; realistic defaults by status. */
  readonly message?: string;
  readonly type?: string;
  readonly code?: string | null;
  readonly param?: string | null;
  /** Replaces the error body as a whole; a string is sent as it is. */
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  /** `retry-after`: seconds, or a date as text. */
  readonly retryAfter?: number | string;
  /** `retry-after-ms` */
  readonly retryAfterMs?: number;
  /** `x-should-retry` */
  readonly shouldRetry?: boolean;
  /** The request is handled all the same: an error that lies. @default false */
  readonly handled?: boolean;
}

/** Ready-made effects by name, so that a test can go through them all. */
export const FAULT_EFFECTS = {
  unauthorized: { kind: 'status', status: 401, code: 'invalid_api_key' },
  forbidden: { kind: 'status', status: 403 },
  requestTimeout: { kind: 'status', status: 408 },
  conflict: { kind: 'status', status: 409 },
  rateLimited: { kind: 'status', status: 429, code: 'rate_limit_exceeded' },
  rateLimitedWithRetryAfter: { kind: 'status', status: 429, code: 'rate_limit_exceeded', retryAfter: 2 },
  rateLimitedWithRetryAfterMs: { kind: 'status', status: 429, code: 'rate_limit_exceeded', retryAfterMs: 250 },
  /** Longer than the 60 s up to which the SDK follows the header. */
  rateLimitedForLong: { kind: 'status', status: 429, code: 'rate_limit_exceeded', retryAfter: 600 },
  quotaExceeded: { kind: 'status', status: 429, type: 'insufficient_quota', code: 'insufficient_quota' },
  serverError: { kind: 'status', status: 500 },
  /** The API asks not to retry. */
  serverErrorForGood: { kind: 'status', status: 500, shouldRetry: false },
  /** The API asks to retry what usually is final. */
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

export type FaultName = keyof typeof FAULT_EFFECTS;

export const FAULT_NAMES = Object.keys(FAULT_EFFECTS) as FaultName[];
