/**
 * What to make of an error of the API: one table, first match wins. Codes of providers are open strings, so rows match loosely.
 * `x-should-retry` of the reply overrides the table's word on retrying (the official SDK honours it too).
 */

/** An error reply, as far as anything depends on it. */
export interface ApiError {
  /** HTTP status; null where there was no (readable) reply: reset, time-out, refused connection. */
  readonly status: number | null;
  readonly code: string | null;
  readonly type: string | null;
  readonly param: string | null;
  readonly message: string;
  readonly requestId: string | null;
  /** Milliseconds that the reply asks to wait; null where it does not say. */
  readonly retryAfterMs: number | null;
  /** The reply's `x-should-retry`; null where it does not say. */
  readonly shouldRetry: boolean | null;
}

/** The calls that activities make, named as in the SDK. */
export type Operation =
  | 'files.create'
  | 'files.retrieve'
  | 'files.list'
  | 'files.content'
  | 'files.delete'
  | 'batches.create'
  | 'batches.retrieve'
  | 'batches.list'
  | 'batches.cancel'
  | 'fineTuning.create'
  | 'fineTuning.retrieve'
  | 'fineTuning.list'
  | 'fineTuning.cancel'
  | 'fineTuning.pause'
  | 'fineTuning.resume'
  | 'fineTuning.events'
  | 'fineTuning.checkpoints';

/**
 * - `refused`: for good; the run ends with the provider's own words.
 * - `unavailable`: passing; retried for as long as the job can live.
 * - `noRoom`: passing, but only when something else ends: no slot, daily limit.
 */
export type Verdict = 'refused' | 'unavailable' | 'noCapacity';

interface Row {
  readonly operation?: RegExp;
  readonly status?: (status: number | null) => boolean;
  /** Matched against `code`, `type` and the message together. */
  readonly says?: RegExp;
  readonly verdict: Verdict;
  /** After this many attempts the verdict becomes `refused`. Default: never. */
  readonly maxAttempts?: number;
}

const is =
  (...statuses: number[]) =>
  (status: number | null) =>
    status !== null && statuses.includes(status);

/**
 * Words of a spent budget: waiting does not bring it back. "billing" alone is none of them: Groq and OpenAI link to their billing
 * page in the message of a plain rate limit.
 */
const NO_QUOTA =
  /insufficient_(quota|balance|credits?|funds)|quota_exceeded|exceeded your current quota|billing_(not_active|hard_limit)|billing hard limit|(insufficient|not enough|out of|no) (credits?|balance|funds)|credit balance/i;

export const API_ERROR_TABLE: readonly Row[] = [
  { status: (status) => status === null, verdict: 'unavailable' },
  { status: is(401, 403), verdict: 'refused' },
  { status: is(402), verdict: 'refused' },
  { status: is(429), says: NO_QUOTA, verdict: 'refused' },
  // A fine-tuning job that finds no slot, or a daily limit, is told 429 at its create: it waits its turn.
  { operation: /^fineTuning\.create$/, status: is(429), verdict: 'noCapacity' },
  {
    operation: /^fineTuning\.create$/,
    status: is(400),
    says: /(maximum|limit).{0,40}(active|concurrent|daily|running)|daily_rate_limit|too many.{0,20}jobs/i,
    verdict: 'noCapacity',
  },
  // LiteLLM passes a 429 on as a 500; it is retried like one either way.
  { status: is(408, 425, 429), verdict: 'unavailable' },
  { status: (status) => status !== null && status >= 500, verdict: 'unavailable' },
  // Two requests that collide; the SDK retries 409 too. Where something is to be changed it means "already ended".
  { operation: /\.(create|retrieve|list|content|events|checkpoints|delete)$/, status: is(409), verdict: 'unavailable' },
  // "Cannot find file" right after its upload (curator#116), or a file still being processed (Azure).
  {
    operation: /^(batches|fineTuning)\.create$/,
    status: is(400, 404),
    says: /(cannot|could not|can't) find file|no such file|file.{0,60}(not ready|not.{0,10}processed|processing|does not exist|not found)/i,
    verdict: 'unavailable',
    maxAttempts: 6,
  },
  // A file that is not visible yet, or a reply from a replica that lags.
  { operation: /^files\.(content|retrieve)$/, status: is(404), verdict: 'unavailable', maxAttempts: 5 },
  // The same for a job; a cancel must not be lost on it.
  { operation: /\.cancel$/, status: is(404), verdict: 'unavailable', maxAttempts: 5 },
  { status: () => true, verdict: 'refused' },
];

/** The table's word on an error, for the attempt that got it (from 1). */
export function classify(operation: Operation, error: ApiError, attempt: number): Verdict {
  const text = `${error.code ?? ''} ${error.type ?? ''} ${error.message}`;
  const row = API_ERROR_TABLE.find(
    (candidate) =>
      (candidate.operation?.test(operation) ?? true) &&
      (candidate.status?.(error.status) ?? true) &&
      (candidate.says?.test(text) ?? true),
  );
  const verdict =
    row === undefined || (row.maxAttempts !== undefined && attempt >= row.maxAttempts) ? 'refused' : row.verdict;
  if (error.shouldRetry === false && error.status !== null && error.status < 500) return 'refused';
  if (error.shouldRetry === true && verdict === 'refused') return 'unavailable';
  return verdict;
}

/** Whether the request may have been carried out although its answer says otherwise or never came. */
export function isAmbiguous(error: ApiError): boolean {
  return error.status === null || error.status === 408 || error.status >= 500 || error.status < 400;
}
